-- CreateEnum
CREATE TYPE "ExecutionStatus" AS ENUM ('STARTING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'STOPPED', 'TERMINATING');

-- AlterTable
ALTER TABLE "Secret" ADD COLUMN "created_by_request_id" TEXT NOT NULL DEFAULT '',
ADD COLUMN "modified_by_request_id" TEXT NOT NULL DEFAULT '';

-- CreateTable
CREATE TABLE "Image" (
    "image" TEXT NOT NULL,
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "cpu" INTEGER NOT NULL,
    "memory" INTEGER NOT NULL,
    "runtime_platform" TEXT NOT NULL,
    "task_role_name" TEXT,
    "task_execution_role_name" TEXT,
    "task_definition" TEXT,
    "created_by" INTEGER,
    "owned_by" INTEGER[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by_request_id" TEXT NOT NULL,
    "modified_by_request_id" TEXT NOT NULL,

    CONSTRAINT "Image_pkey" PRIMARY KEY ("image")
);

-- At most one image is the default.
CREATE UNIQUE INDEX "Image_default_key" ON "Image" ("is_default") WHERE "is_default";

-- CreateTable
CREATE TABLE "Execution" (
    "execution_id" TEXT NOT NULL,
    "created_by" INTEGER,
    "owned_by" INTEGER[],
    "command" TEXT NOT NULL,
    "image_id" TEXT NOT NULL,
    "env" JSONB NOT NULL,
    "secrets" TEXT[],
    "git_repo" TEXT,
    "git_ref" TEXT,
    "git_path" TEXT,
    "status" "ExecutionStatus" NOT NULL DEFAULT 'STARTING',
    "exit_code" INTEGER,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "completed_at" TIMESTAMPTZ(3),
    "duration_seconds" INTEGER,
    "timeout" INTEGER NOT NULL,
    "task_arn" TEXT,
    "created_by_request_id" TEXT NOT NULL,
    "modified_by_request_id" TEXT NOT NULL,
    "compute_platform" TEXT NOT NULL,
    "masked" TEXT,

    CONSTRAINT "Execution_pkey" PRIMARY KEY ("execution_id")
);

-- CreateIndex
CREATE INDEX "Execution_started_at_idx" ON "Execution"("started_at" DESC);

-- CreateIndex
CREATE INDEX "Execution_created_by_request_id_idx" ON "Execution"("created_by_request_id");

-- CreateIndex
CREATE INDEX "Execution_modified_by_request_id_idx" ON "Execution"("modified_by_request_id");

-- What runs is a small part of what ever ran.
CREATE INDEX "Execution_live_idx" ON "Execution" ("started_at") WHERE "status" IN ('STARTING', 'RUNNING', 'TERMINATING');

-- A log stream names a task by the last part of its ARN.
CREATE INDEX "Execution_task_id_idx" ON "Execution" (split_part("task_arn", '/', -1));

-- CreateTable
CREATE TABLE "LogEvent" (
    "id" BIGSERIAL NOT NULL,
    "execution_id" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "timestamp" BIGINT NOT NULL,
    "message" TEXT NOT NULL,

    CONSTRAINT "LogEvent_pkey" PRIMARY KEY ("execution_id","id")
);

-- CreateIndex
CREATE UNIQUE INDEX "LogEvent_event_id_key" ON "LogEvent"("event_id");

-- CreateIndex
CREATE INDEX "LogEvent_execution_id_timestamp_id_idx" ON "LogEvent"("execution_id", "timestamp", "id");

-- CreateTable
CREATE TABLE "LogToken" (
    "token_hash" TEXT NOT NULL,
    "execution_id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "LogToken_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "LogConnection" (
    "connection_id" TEXT NOT NULL,
    "execution_id" TEXT NOT NULL,
    "endpoint" TEXT NOT NULL,
    "after" BIGINT NOT NULL DEFAULT 0,
    "connected_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "busy_until" TIMESTAMPTZ(3),

    CONSTRAINT "LogConnection_pkey" PRIMARY KEY ("connection_id")
);

-- CreateIndex
CREATE INDEX "LogConnection_execution_id_idx" ON "LogConnection"("execution_id");

-- CreateTable
CREATE TABLE "ServerLog" (
    "id" BIGSERIAL NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL,
    "request_id" TEXT NOT NULL,
    "level" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "fields" JSONB NOT NULL,

    CONSTRAINT "ServerLog_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "ServerLog_request_id_idx" ON "ServerLog"("request_id");

-- CreateIndex
CREATE INDEX "ServerLog_time_idx" ON "ServerLog"("time");

-- AddForeignKey
ALTER TABLE "Image" ADD CONSTRAINT "Image_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Execution" ADD CONSTRAINT "Execution_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LogToken" ADD CONSTRAINT "LogToken_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "Execution"("execution_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "LogConnection" ADD CONSTRAINT "LogConnection_execution_id_fkey" FOREIGN KEY ("execution_id") REFERENCES "Execution"("execution_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- An execution takes its lines along: what a foreign key would do at its end, without what it would do for each line.
CREATE FUNCTION "execution_drop_lines"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM "LogEvent" WHERE "execution_id" IN (SELECT "execution_id" FROM gone);
  RETURN NULL;
END $$;
CREATE TRIGGER "Execution_lines" AFTER DELETE ON "Execution" REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
EXECUTE FUNCTION "execution_drop_lines"();
