#!/bin/sh
# Sends every example event to the event processor of a running `reefguide dev`, twice, and says what each answered. Then it runs
# a command, and ends it by an event as ECS would.
#
#   sh examples/try-events.sh [PROCESSOR [ORCHESTRATOR]]
#
# The administrator's key is taken from API_KEY, or from the local system's credentials.
set -eu
events=$(dirname "$0")/events
processor=${1:-http://localhost:8081}
orchestrator=${2:-http://localhost:8080}
home=${REEFGUIDE_HOME:-.reefguide}
[ -n "${API_KEY:-}" ] || [ -f "$home/credentials.json" ] || {
  echo "There is no $home/credentials.json: start \`reefguide dev\` first, or set REEFGUIDE_HOME or API_KEY." >&2
  exit 1
}
key=${API_KEY:-$(node -p 'JSON.parse(fs.readFileSync(process.argv[1])).apiKey' "$home/credentials.json")}
failed=0

# send NAME EXPECTED-STATUS: the event on standard input
send() {
  answer=$(curl -s -w ' %{http_code}' -X POST "$processor/process" -H 'Content-Type: application/json' ${PROCESSOR_TOKEN:+-H "Authorization: Bearer $PROCESSOR_TOKEN"} -d @-)
  printf '%-28s %s\n' "$1" "$answer"
  case $answer in *" $2") ;; *) echo "  expected $2"; failed=1 ;; esac
}
# field NAME: of the JSON on standard input
field() { node -p 'JSON.parse(fs.readFileSync(0))[process.argv[1]]' "$1"; }

for event in "$events"/*.json; do
  name=$(basename "$event" .json)
  send "$name" 200 <"$event"
  send "$name again" 200 <"$event"
done
echo '{"unknown": true}' | send 'no event' 400

started=$(curl -s -X POST "$orchestrator/api/v1/run" -H "X-API-Key: $key" -H 'Content-Type: application/json' \
  -d '{"command": "sleep 60"}')
case $started in *'"execution_id"'*) ;; *) echo "$orchestrator runs no command: ${started:-it does not answer}" >&2; exit 1 ;; esac
id=$(echo "$started" | field execution_id)
sed "s/0123456789abcdef0123456789abcdef/$id/" "$events/ecs-task-running.json" | send 'task of a command runs' 200
node "$events/../pack-lines.mjs" "$id" 'reading the survey' done | send 'its lines' 200
sed "s/0123456789abcdef0123456789abcdef/$id/" "$events/ecs-task-completion.json" | send 'task of a command ends' 200
curl -sf -H "X-API-Key: $key" "$orchestrator/api/v1/executions/$id/logs" | grep -q 'reading the survey' || failed=1
status=$(curl -sf -H "X-API-Key: $key" "$orchestrator/api/v1/executions/$id/status" | field status)
echo "The command's status is $status"
[ "$status" = SUCCEEDED ] || failed=1
exit $failed
