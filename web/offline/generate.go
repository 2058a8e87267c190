//go:build ignore

// Generate builds the verifier for browsers into the folder built, and takes
// the loader from the Go that built it. The same sources and the same Go give
// the same bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "building the verifier for browsers:", err)
		os.Exit(1)
	}
}

func generate() error {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("asking where Go is: %w", err)
	}
	loader, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "attesta-wasm-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "verifier.wasm")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", program, "attesta/cmd/attesta-wasm")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	raw, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zip.Write(raw); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	for name, data := range map[string][]byte{"verifier.wasm.gz": packed.Bytes(), "wasm_exec.js": loader} {
		if err := os.WriteFile(filepath.Join("built", name), data, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("verifier for browsers: %d bytes, packed %d; loader %d\n", len(raw), packed.Len(), len(loader))
	return nil
}
