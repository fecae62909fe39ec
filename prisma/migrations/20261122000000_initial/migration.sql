-- CreateEnum
CREATE TYPE "JobStatus" AS ENUM ('PENDING', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT');

-- CreateEnum
CREATE TYPE "StorageScheme" AS ENUM ('S3', 'LOCAL');

-- CreateEnum
CREATE TYPE "Role" AS ENUM ('ADMIN', 'OPERATOR', 'DEVELOPER', 'VIEWER', 'ANALYST', 'WORKER', 'MANAGER');

-- CreateTable
CREATE TABLE "User" (
    "id" SERIAL NOT NULL,
    "email" TEXT NOT NULL,
    "password" TEXT NOT NULL,
    "roles" "Role"[],

    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RefreshToken" (
    "id" SERIAL NOT NULL,
    "token" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "user_id" INTEGER NOT NULL,
    "expiry_time" INTEGER NOT NULL,
    "valid" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "RefreshToken_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "UserLog" (
    "id" SERIAL NOT NULL,
    "time" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "action" TEXT NOT NULL,
    "metadata" JSONB,
    "userId" INTEGER,

    CONSTRAINT "UserLog_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ApiKey" (
    "id" SERIAL NOT NULL,
    "user_id" INTEGER NOT NULL,
    "key_hash" TEXT NOT NULL,
    "role" "Role",
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used" TIMESTAMPTZ(3),
    "revoked" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "ApiKey_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ClaimToken" (
    "token_hash" TEXT NOT NULL,
    "user_id" INTEGER NOT NULL,
    "created_by" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "viewed_at" TIMESTAMPTZ(3),

    CONSTRAINT "ClaimToken_pkey" PRIMARY KEY ("token_hash")
);

-- CreateTable
CREATE TABLE "Polygon" (
    "id" SERIAL NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "user_id" INTEGER NOT NULL,
    "polygon" JSONB NOT NULL,

    CONSTRAINT "Polygon_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "PolygonNote" (
    "id" SERIAL NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "content" TEXT NOT NULL,
    "user_id" INTEGER NOT NULL,
    "polygon_id" INTEGER NOT NULL,

    CONSTRAINT "PolygonNote_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Job" (
    "id" SERIAL NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "type" TEXT NOT NULL,
    "status" "JobStatus" NOT NULL DEFAULT 'PENDING',
    "hash" TEXT NOT NULL,
    "user_id" INTEGER NOT NULL,
    "input_payload" JSONB NOT NULL,
    "priority" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" INTEGER NOT NULL,
    "cancel_requested_at" TIMESTAMPTZ(3),
    "progress" JSONB,
    "cache_valid" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "Job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "JobRequest" (
    "id" SERIAL NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "user_id" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "input_payload" JSONB NOT NULL,
    "cache_hash" TEXT NOT NULL,
    "job_id" INTEGER NOT NULL,

    CONSTRAINT "JobRequest_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "JobAssignment" (
    "id" SERIAL NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "job_id" INTEGER NOT NULL,
    "ecs_task_arn" TEXT NOT NULL,
    "ecs_cluster_arn" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "storage_scheme" "StorageScheme" NOT NULL,
    "storage_uri" TEXT NOT NULL,
    "heartbeat_at" TIMESTAMPTZ(3),
    "completed_at" TIMESTAMPTZ(3),

    CONSTRAINT "JobAssignment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "JobResult" (
    "id" SERIAL NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "job_id" INTEGER NOT NULL,
    "assignment_id" INTEGER NOT NULL,
    "result_payload" JSONB,
    "storage_scheme" "StorageScheme" NOT NULL,
    "storage_uri" TEXT NOT NULL,
    "metadata" JSONB,
    "cache_valid" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "JobResult_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "CapacityLease" (
    "name" TEXT NOT NULL,
    "holder" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "report" JSONB,

    CONSTRAINT "CapacityLease_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "CapacitySnapshot" (
    "id" SERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "job_type" TEXT NOT NULL,
    "pending" INTEGER NOT NULL,
    "in_progress" INTEGER NOT NULL,
    "workers" INTEGER NOT NULL,
    "desired" INTEGER NOT NULL,

    CONSTRAINT "CapacitySnapshot_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RateLimit" (
    "key" TEXT NOT NULL,
    "points" INTEGER NOT NULL DEFAULT 0,
    "expire" BIGINT,

    CONSTRAINT "RateLimit_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE UNIQUE INDEX "RefreshToken_token_key" ON "RefreshToken"("token");

-- CreateIndex
CREATE INDEX "RefreshToken_user_id_idx" ON "RefreshToken"("user_id");

-- CreateIndex
CREATE INDEX "UserLog_userId_time_idx" ON "UserLog"("userId", "time" DESC);

-- CreateIndex
CREATE INDEX "UserLog_time_idx" ON "UserLog"("time" DESC);

-- CreateIndex
CREATE UNIQUE INDEX "ApiKey_key_hash_key" ON "ApiKey"("key_hash");

-- CreateIndex
CREATE INDEX "ApiKey_user_id_idx" ON "ApiKey"("user_id");

-- CreateIndex
CREATE INDEX "Polygon_user_id_idx" ON "Polygon"("user_id");

-- CreateIndex
CREATE INDEX "PolygonNote_polygon_id_idx" ON "PolygonNote"("polygon_id");

-- CreateIndex
CREATE INDEX "PolygonNote_user_id_idx" ON "PolygonNote"("user_id");

-- CreateIndex
CREATE INDEX "Job_user_id_id_idx" ON "Job"("user_id", "id");

-- CreateIndex
CREATE INDEX "JobRequest_job_id_idx" ON "JobRequest"("job_id");

-- CreateIndex
CREATE INDEX "JobRequest_user_id_id_idx" ON "JobRequest"("user_id", "id");

-- CreateIndex
CREATE INDEX "JobAssignment_job_id_idx" ON "JobAssignment"("job_id");

-- CreateIndex
CREATE UNIQUE INDEX "JobResult_assignment_id_key" ON "JobResult"("assignment_id");

-- CreateIndex
CREATE INDEX "CapacitySnapshot_at_idx" ON "CapacitySnapshot"("at");

-- AddForeignKey
ALTER TABLE "RefreshToken" ADD CONSTRAINT "RefreshToken_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "UserLog" ADD CONSTRAINT "UserLog_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiKey" ADD CONSTRAINT "ApiKey_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ClaimToken" ADD CONSTRAINT "ClaimToken_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ClaimToken" ADD CONSTRAINT "ClaimToken_created_by_fkey" FOREIGN KEY ("created_by") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Polygon" ADD CONSTRAINT "Polygon_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PolygonNote" ADD CONSTRAINT "PolygonNote_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "PolygonNote" ADD CONSTRAINT "PolygonNote_polygon_id_fkey" FOREIGN KEY ("polygon_id") REFERENCES "Polygon"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Job" ADD CONSTRAINT "Job_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobRequest" ADD CONSTRAINT "JobRequest_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobRequest" ADD CONSTRAINT "JobRequest_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobAssignment" ADD CONSTRAINT "JobAssignment_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobResult" ADD CONSTRAINT "JobResult_assignment_id_fkey" FOREIGN KEY ("assignment_id") REFERENCES "JobAssignment"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- What follows has no words in Prisma's schema language.

-- Addresses are unique without regard to case.
CREATE UNIQUE INDEX "User_email_key" ON "User"(lower("email"));

-- Guarantee 1: at most one live assignment a job.
CREATE UNIQUE INDEX "JobAssignment_live_key" ON "JobAssignment"("job_id") WHERE "completed_at" IS NULL;

-- Guarantee 5: equal requests share one live or succeeded job, also when they arrive at the same instant.
CREATE UNIQUE INDEX "Job_equal_key" ON "Job"("hash") WHERE "cache_valid" AND "status" IN ('PENDING', 'IN_PROGRESS', 'SUCCEEDED');

-- Guarantees 6 and 7: the queue of each type, higher priority first, then age.
CREATE INDEX "Job_pending_idx" ON "Job"("type", "priority" DESC, "id") WHERE "status" = 'PENDING';

-- Guarantee 3: a terminal status never changes, and a waiting job ends only by being cancelled.
CREATE FUNCTION "job_refuse_transition"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'job % may not go from % to %', OLD."id", OLD."status", NEW."status" USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER "Job_transition" BEFORE UPDATE OF "status" ON "Job" FOR EACH ROW
WHEN (
  OLD."status" IS DISTINCT FROM NEW."status" AND (
    OLD."status" IN ('SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT')
    OR (OLD."status" = 'PENDING' AND NEW."status" NOT IN ('IN_PROGRESS', 'CANCELLED'))
  )
)
EXECUTE FUNCTION "job_refuse_transition"();

-- A result that may no longer be reused frees its job's place in "Job_equal_key".
CREATE FUNCTION "job_follow_cache_valid"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE "Job" SET "cache_valid" = false WHERE "id" = NEW."job_id";
  RETURN NULL;
END $$;

CREATE TRIGGER "JobResult_cache_valid" AFTER UPDATE OF "cache_valid" ON "JobResult" FOR EACH ROW
WHEN (OLD."cache_valid" AND NOT NEW."cache_valid")
EXECUTE FUNCTION "job_follow_cache_valid"();

-- Every job is updated at least twice: leave room on the page, and vacuum early so that the head of the queue stays short.
ALTER TABLE "Job" SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE "JobAssignment" SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
