// Package offline holds the verifier for browsers, which runs where there is no
// server: the program of cmd/attesta-wasm, the loader that comes with Go, and the
// script of the page that starts them.
//
//	files, err := offline.Files()
//
// The program and its loader are built by go generate and never committed. A
// build before that has the script only.
package offline

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:generate go run generate.go

//go:embed check.js built
var files embed.FS

// ErrNotBuilt says that this program has no verifier for browsers.
var ErrNotBuilt = errors.New("this build has no verifier for the browser: run go generate ./web/offline and build again")

// Files are the files that a page needs beside itself, by their name: check.js,
// which the page loads, and wasm_exec.js and verifier.bin, which check.js loads
// when somebody checks something. The last one is WebAssembly packed with gzip.
// Its name says neither, so that no server unpacks it or has to know it. The
// error is ErrNotBuilt where the last two are not there.
func Files() (map[string][]byte, error) {
	all := map[string][]byte{}
	for name, from := range map[string]string{
		"check.js": "check.js", "wasm_exec.js": "built/wasm_exec.js", "verifier.bin": "built/verifier.wasm.gz",
	} {
		raw, err := files.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrNotBuilt
		}
		if err != nil {
			return nil, fmt.Errorf("reading the verifier for browsers: %w", err)
		}
		all[name] = raw
	}
	return all, nil
}
