package main

import (
	"errors"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
)

// recipients gives a script an age identity, its recipient and another
// identity.
func recipients(e *testscript.Env) error {
	mine, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	other, err := age.GenerateX25519Identity()
	e.Setenv("RECIPIENT", mine.Recipient().String())
	return errors.Join(err,
		os.WriteFile(filepath.Join(e.WorkDir, "identity.txt"), []byte("# made for a test\n"+mine.String()+"\n"), 0o600),
		os.WriteFile(filepath.Join(e.WorkDir, "other.txt"), []byte(other.String()+"\n"), 0o600))
}

var backupScripts = map[string]func(*testscript.TestScript, bool, []string){
	"damage":      cmdDamage,
	"nothingleft": cmdNothingLeft,
}

// cmdDamage copies a file with one bit changed in its middle, or its end cut off.
func cmdDamage(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if args[2] == "cut" {
		b = b[:len(b)-len(b)/4]
	} else {
		b[len(b)/2] ^= 1
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// cmdNothingLeft looks for what a restore that failed may have left.
func cmdNothingLeft(ts *testscript.TestScript, _ bool, _ []string) {
	for _, pattern := range []string{".attesta-restore-*", ".export-*", "*/.backup-*", "*/.new-*"} {
		found, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if len(found) > 0 {
			ts.Fatalf("%v were left", found)
		}
	}
}
