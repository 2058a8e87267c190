package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReadme runs the first console block of the README line by line, in an
// empty folder with the file class.csv that it shows. A line with a $ is a
// command; what follows is its output, where … stands for what differs.
func TestReadme(t *testing.T) {
	steps := consoleBlock(t, filepath.Join("..", "..", "README.md"))
	if len(steps) < 5 {
		t.Fatalf("the README shows %d commands", len(steps))
	}
	dir := t.TempDir()
	class, err := os.ReadFile(filepath.Join("..", "..", "docs", "examples", "class.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "class.csv"), class, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		out := s.run(t, dir)
		if !matches(s.want, out) {
			t.Errorf("$ %s\nprinted\n%s\nthe README says\n%s", s.command, out, s.want)
		}
	}
}

type step struct{ command, want string }

func consoleBlock(t *testing.T, name string) []step {
	t.Helper()
	readme, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(readme), "```console\n")
	if !ok {
		t.Fatal("the README has no console block")
	}
	block, _, _ = strings.Cut(block, "```")
	var steps []step
	for line := range strings.Lines(block) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			command, _, _ = strings.Cut(command, "  #")
			steps = append(steps, step{command: strings.TrimSpace(command)})
			continue
		}
		if len(steps) > 0 {
			steps[len(steps)-1].want += line
		}
	}
	return steps
}

// run runs a command without a shell: words are parted by spaces, a word with
// a star is a pattern, and & leaves the command running until the test ends.
func (s step) run(t *testing.T, dir string) string {
	t.Helper()
	line, background := strings.CutSuffix(s.command, " &")
	var words []string
	for word := range strings.FieldsSeq(line) {
		found, err := filepath.Glob(filepath.Join(dir, word))
		if err != nil || len(found) == 0 || !strings.Contains(word, "*") {
			found = []string{word}
		}
		words = append(words, found...)
	}
	if words[0] == "cat" { // not every system has one
		data, err := os.ReadFile(filepath.Join(dir, words[1]))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ATTESTA_LISTEN=127.0.0.1:0", "LANG=en_GB.UTF-8", "LC_ALL=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if !background {
		err := cmd.Run()
		if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
			t.Fatalf("$ %s: %v", s.command, err)
		}
		return out.String()
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("$ %s: %v", s.command, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("$ %s ended with %v\n%s", s.command, err, out.String())
			return
		}
		if !matches(s.want, out.String()) {
			t.Errorf("$ %s\nprinted\n%s\nthe README says\n%s", s.command, out.String(), s.want)
		}
	})
	waitReady(t, folder(filepath.Join(dir, "attesta-data")))
	return s.want // compared when it has ended
}

func waitReady(t *testing.T, f folder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if _, ok := dial(ctx, f); ok {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the server does not answer")
}

// matches compares output with what is written, where … stands for the rest of a
// line, and a line that is nothing else for any lines.
func matches(want, got string) bool {
	pattern := regexp.QuoteMeta(strings.TrimSpace(want))
	pattern = regexp.MustCompile(`(?m)^…$`).ReplaceAllString(pattern, `(?s:.*)`)
	pattern = strings.ReplaceAll(pattern, "…", `.*`)
	return regexp.MustCompile(`\A` + pattern + `\z`).MatchString(strings.TrimSpace(got))
}

// TestMatches: a warning that the README does not show is noticed.
func TestMatches(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"line 2  SN-11-…\n1 row\n", "line 2  SN-11-55AA\n1 row\n", true},
		{"line 2  SN-11-…\n1 row\n", "line 2  SN-11-55AA\n  warning: it is odd\n1 row\n", false},
		{"VALID\n…\n", "VALID\nmuch\nmore\n", true},
		{"VALID\n…\n", "NOT VALID\nmuch\n", false},
		{"a.c", "abc", false},
	} {
		if matches(c.want, c.got) != c.same {
			t.Errorf("%q and %q: want %v", c.want, c.got, c.same)
		}
	}
}
