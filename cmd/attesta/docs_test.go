package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommandLineReference holds docs/reference/cli.md to what the commands
// say of themselves.
func TestCommandLineReference(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range commands() {
		_, after, ok := strings.Cut(string(page), "\n## attesta "+cmd.name+"\n")
		if !ok {
			t.Errorf("there is no heading for attesta %s", cmd.name)
			continue
		}
		_, block, _ := strings.Cut(after, "```\n")
		block, _, _ = strings.Cut(block, "```")
		if block != cmd.help {
			t.Errorf("attesta help %s says\n%s\nthe page says\n%s", cmd.name, cmd.help, block)
		}
	}
}
