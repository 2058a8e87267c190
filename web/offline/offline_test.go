package offline

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"regexp"
	"testing"
)

// TestFiles: what was built is a program for browsers, whole; what was not is
// said plainly.
func TestFiles(t *testing.T) {
	all, err := Files()
	if errors.Is(err, ErrNotBuilt) {
		if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	packed, err := gzip.NewReader(bytes.NewReader(all["verifier.bin"]))
	if err != nil {
		t.Fatal(err)
	}
	program, err := io.ReadAll(packed)
	if err != nil || !bytes.HasPrefix(program, []byte("\x00asm")) {
		t.Errorf("%d bytes that begin with %q: %v", len(program), program[:min(8, len(program))], err)
	}
	if len(all["verifier.bin"]) > 6<<20 {
		t.Errorf("the verifier is %d bytes packed: too much for a phone", len(all["verifier.bin"]))
	}
	if !bytes.Contains(all["wasm_exec.js"], []byte("class")) {
		t.Error("this is no loader")
	}
}

// TestScript (R4, W12): our own script asks no other site, keeps nothing, and
// runs no text as a program.
func TestScript(t *testing.T) {
	script, err := files.ReadFile("check.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{`https?://[a-z]`, `\beval\b`, `new Function`, `localStorage`, `sessionStorage`, `document\.cookie`, `indexedDB`, `document\.write`, `sendBeacon`, `XMLHttpRequest`, `WebSocket`} {
		if found := regexp.MustCompile(never).Find(script); found != nil {
			t.Errorf("the script has %q", found)
		}
	}
}
