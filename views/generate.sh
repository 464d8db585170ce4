#!/bin/sh
# Makes the Go code of the pages anew: sh views/generate.sh
#
# No component may be inlined. A component is a call with a closure, which the compiler would
# copy into every place that shows it: 36 copies of a form's field made programs 3 MB larger.
set -eu
cd "$(dirname "$0")"
go run github.com/a-h/templ/cmd/templ@v0.3.977 generate >/dev/null
for f in *_templ.go; do
  sed 's|^func .*) templ\.Component {$|//go:noinline\
&|' "$f" >"$f.new"
  mv "$f.new" "$f"
done
gofmt -w *_templ.go
