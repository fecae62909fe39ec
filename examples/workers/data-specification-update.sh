#!/bin/sh
# Handles DATA_SPECIFICATION_UPDATE jobs in POSIX shell: writes OUTPUT_DIR/data-specification.json, a list of the files of
# DATA_DIR (by default the examples' own data directory) with size, POSIX cksum CRC and number of lines.
# The only input of the job, cache_buster, makes a job differ from an earlier job; nothing here depends on the value.

set -eu
LC_ALL=C
export LC_ALL

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

# Prints a text as a JSON string, for example a "b" -> "a \"b\"". JSON is UTF-8 but a file name is any bytes: in a name that
# is no UTF-8, each byte above 127 becomes the Latin-1 character of that number.
json_string() {
  utf8=1
  printf '%s' "$1" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1 || utf8=0
  printf '"%b"' "$(
    printf '%s' "$1" | od -An -v -tu1 | awk -v utf8="$utf8" '{
      for (i = 1; i <= NF; i++) {
        if ($i < 32 || ($i > 127 && !utf8)) printf "\\\\u%04x", $i
        else if ($i == 34 || $i == 92) printf "\\\\\\0%o", $i
        else printf "\\0%o", $i
      }
    }'
  )"
}

[ -n "${OUTPUT_DIR:-}" ] || fail 'Missing OUTPUT_DIR: set it to the directory for the results'
data_dir=${DATA_DIR:-$(dirname -- "$0")/data}
[ -d "$data_dir" ] || fail "Invalid DATA_DIR $data_dir: expected a directory"

total=0
for file in "$data_dir"/*; do
  if [ -f "$file" ]; then total=$((total + 1)); fi
done

out=$OUTPUT_DIR/data-specification.json
done_count=0
total_bytes=0
separator=''
printf '{"checksum":"POSIX cksum","files":[' >"$out"
for file in "$data_dir"/*; do
  [ -f "$file" ] || continue
  name=$(json_string "${file##*/}")
  sums=$(cksum <"$file") || fail "Cannot read $name in DATA_DIR"
  # cksum prints the CRC and the number of bytes, for example 4294967295 0.
  crc=${sums%% *}
  rest=${sums#* }
  bytes=${rest%% *}
  lines=$(($(wc -l <"$file")))
  printf '%s\n  {"name":%s,"bytes":%s,"cksum":%s,"lines":%s}' "$separator" "$name" "$bytes" "$crc" "$lines" >>"$out"
  separator=','
  total_bytes=$((total_bytes + bytes))
  done_count=$((done_count + 1))
  percent=$((100 * done_count / total))
  printf 'PROGRESS: %d.%02d %s\n' $((percent / 100)) $((percent % 100)) "$name" >&2
done
printf '\n],"file_count":%s,"total_bytes":%s}\n' "$done_count" "$total_bytes" >>"$out"

printf '{}\n'
