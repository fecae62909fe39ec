#!/bin/sh
# A handler of DATA_SPECIFICATION_UPDATE jobs in POSIX shell: writes OUTPUT_DIR/data-specification.json, which lists the
# files of DATA_DIR (by default the examples' own data folder) with size, POSIX cksum CRC and number of lines.
# The job's only input, cache_buster, makes a job differ from an earlier one; nothing here depends on it.

set -eu
LC_ALL=C
export LC_ALL

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

# Prints a text as a JSON string. A name is bytes, and JSON is UTF-8: where the name is not, each byte above 127 is
# written as the Latin-1 character of that number.
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

[ -n "${OUTPUT_DIR:-}" ] || fail 'OUTPUT_DIR is not set'
data_dir=${DATA_DIR:-$(dirname -- "$0")/data}
[ -d "$data_dir" ] || fail "DATA_DIR is not a folder: $data_dir"

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
  sums=$(cksum <"$file") || fail "cannot read a file of DATA_DIR: $name"
  # cksum prints the CRC and the number of bytes.
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
