/** VERIFY.md of every export: how to check it without us. */
export const exportGuide = `# How to check this export

Every event is one line of \`events/<day>.ndjson\`, byte for byte the entry of a Merkle log in the C2SP tlog-tiles
format (https://c2sp.org/tlog-tiles). \`log/<day>/\` is the whole log of that day; its \`checkpoint\` is signed with
Ed25519 (https://c2sp.org/signed-note). Compare the keys in \`vkeys/\` with keys you got another way: a key that came
with the data proves nothing.

## The files are the ones that were exported

    jq -r '.files | to_entries[] | "\\(.value.sha256)  \\(.key)"' MANIFEST.json | sha256sum --check --quiet

## Each log is whole and signed, by a public tool

    for day in $(ls log); do
      timeout 600 go run github.com/transparency-dev/tessera/cmd/fsck@v1.0.4 --ui=false --N=16 \\
        --storage_url="file://$PWD/log/$day/" --public_key="vkeys/$day.vkey" 2>&1 | grep "Successfully fsck'd log"
    done

Only that line counts: this version exits with 0 when it has found damage.

## Each event is in its log, and none of the window is missing

Line by line, \`proofs/<day>.ndjson\` has the index of the event in the log and its inclusion proof (RFC 9162
section 2.1.3, base64, from the leaf's sibling upwards). The leaf hash is SHA-256 of a zero byte and the line without
its line feed:

    { printf '\\0'; sed -n 1p "events/$day.ndjson" | tr -d '\\n'; } | sha256sum

## Each decision record is the one that was logged

\`decisions/<day>.ndjson\` says, by event, where the segment that a \`uos.decision-segment.written.v1\` names is: its
bytes have the \`sha256\` of that event. What they hold is NDJSON, compressed with gzip; \`zcat\` reads a whole file.

    jq -r 'select(.place) | [.eventId, .place.path, .place.offset, .place.bytes] | @tsv' decisions/*-??.ndjson |
      while read -r event path offset bytes; do
        tail -c "+$((offset + 1))" "$path" | head -c "$bytes" | sha256sum | grep -q \
          "$(grep -h "$event" events/*.ndjson | jq -r .data.sha256)" || echo "$event is not what was logged"
      done

With the source code of the service, one command checks all of the above and names the first damaged entry:

    npm run audit-verify -- "$PWD"
`;
