// Attesta issues, keeps, checks and withdraws verifiable micro-credentials as
// European Digital Credentials. One program, one folder of data.
//
// Each subcommand is one file of this package. This is the only place where
// the rooms of the program meet: app.go wires them together.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // days are those of Europe/Rome, also where no zones are installed

	"attesta/keys"
)

// Exit codes of every subcommand.
const (
	exitDone       = 0
	exitNo         = 1 // not valid, a row refused, something wrong
	exitUsage      = 2
	exitCannotTell = 3
)

// The heap may grow to five times what is in use before it is collected, up to
// where that would be much of a small machine: what bulk work allocates is mostly
// gone at once. GOGC and GOMEMLIMIT say otherwise.
const (
	gcPercent   = 400
	memoryLimit = 512 << 20
)

func main() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(gcPercent)
		debug.SetMemoryLimit(memoryLimit)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, &console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, now: time.Now,
	}, os.Args[1:])
	stop()
	os.Exit(code)
}

// console is what a command sees of the world outside.
type console struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	now      func() time.Time
	lease    time.Duration // how long a work is a process's own; leaseTime when zero
}

// language is that of the person at the console: it or en.
func (c *console) language() string { return c.speaks("it") }

// speaks is the language of the person at the console where it is one of these,
// else en.
func (c *console) speaks(languages ...string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := c.getenv(name); v != "" {
			for _, l := range languages {
				if strings.HasPrefix(v, l) {
					return l
				}
			}
			break
		}
	}
	return "en"
}

func (c *console) printf(format string, args ...any) { fmt.Fprintf(c.out, format, args...) }

// command is one subcommand: its name, what it does in a few words, its help
// and its work. The work returns an exit code; an error is printed by run.
type command struct {
	name, short, help string
	run               func(ctx context.Context, c *console, args []string) (int, error)
}

func commands() []command {
	return []command{
		demoCommand, serveCommand, importCommand, lintCommand, issueCommand, verifyCommand, findCommand, statusCommand, eraseCommand,
		sealCommand, keysCommand, trustCommand, signInCommand, logCommand, exportCommand, migrateCommand, backupCommand, restoreCommand, doctorCommand, versionCommand,
	}
}

// usageError is a mistake in the way a command was called.
type usageError struct{ text, hint string }

func (e *usageError) Error() string { return e.text }

func misuse(hint, format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), hint}
}

// hinted is an error with advice for the person at the console.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

func run(ctx context.Context, c *console, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		return help(c, args)
	}
	for _, cmd := range commands() {
		if cmd.name == args[0] {
			code, err := cmd.run(ctx, c, args[1:])
			return report(c, cmd, code, err)
		}
	}
	fmt.Fprintf(c.err, "attesta: there is no command %q\n  see: attesta help\n", args[0])
	return exitUsage
}

func report(c *console, cmd command, code int, err error) int {
	usage, misused := errors.AsType[*usageError](err)
	switch {
	case err == nil:
		return code
	case errors.Is(err, flag.ErrHelp):
		c.printf("%s", cmd.help)
		return exitDone
	case misused:
		fmt.Fprintf(c.err, "attesta %s: %s\n", cmd.name, plain(usage.text))
		if usage.hint != "" {
			fmt.Fprintf(c.err, "  %s\n", usage.hint)
		}
		fmt.Fprintf(c.err, "  see: attesta help %s\n", cmd.name)
		return exitUsage
	}
	text := err.Error()
	if said, ok := errors.AsType[*spoken](err); ok {
		text = said.words[c.language()]
	}
	fmt.Fprintf(c.err, "attesta %s: %s\n", cmd.name, plainLines(text))
	if advice, ok := errors.AsType[*hinted](err); ok {
		fmt.Fprintf(c.err, "  %s\n", advice.hint)
	} else if errors.Is(err, keys.ErrNoKey) {
		fmt.Fprintf(c.err, "  make a demonstration key: attesta keys rotate --provider ID; or take one of an authority: attesta keys import\n")
	}
	if code == exitDone {
		code = exitNo
	}
	return code
}

func help(c *console, args []string) int {
	if len(args) > 1 {
		for _, cmd := range commands() {
			if cmd.name == args[1] {
				c.printf("%s", cmd.help)
				return exitDone
			}
		}
		fmt.Fprintf(c.err, "attesta: there is no command %q\n", args[1])
		return exitUsage
	}
	c.printf("attesta issues, keeps, checks and withdraws European Digital Credentials.\n\nusage: attesta COMMAND [flags]\n\n")
	for _, cmd := range commands() {
		c.printf("  %-8s  %s\n", cmd.name, cmd.short)
	}
	c.printf("\nattesta help COMMAND says more. To try it: attesta demo\n")
	if len(args) == 0 {
		return exitUsage
	}
	return exitDone
}

// count says a number of things: 1 row, 2 rows.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// flags makes a flag set whose mistakes are reported by run.
func flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	return f
}

// parse reads flags wherever they stand and returns the other arguments.
func parse(f *flag.FlagSet, args []string) ([]string, error) {
	var rest []string
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, misuse("", "%s", err)
		}
		if f.NArg() == 0 {
			return rest, nil
		}
		if done := len(args) - f.NArg(); done > 0 && args[done-1] == "--" {
			return append(rest, f.Args()...), nil
		}
		rest, args = append(rest, f.Arg(0)), f.Args()[1:]
	}
}

// dataFlag adds the flag that names the data folder.
func dataFlag(f *flag.FlagSet, c *console) *string {
	folder := c.getenv("ATTESTA_DATA")
	if folder == "" {
		folder = "attesta-data"
	}
	return f.String("data", folder, "")
}

// many is a flag that may be given several times.
type many []string

func (m *many) String() string     { return strings.Join(*m, ",") }
func (m *many) Set(v string) error { *m = append(*m, v); return nil }

// plain makes text from outside harmless for a terminal: line breaks, other
// control characters and marks that change the direction of writing are shown
// as a sign, so that no value can look like a line of ours.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x20 || 0x7f <= r && r < 0xa0, r == 0x061c, r == 0x2028 || r == 0x2029,
			0x200e <= r && r <= 0x200f, 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
			return '\ufffd'
		}
		return r
	}, s)
}

// plainLines is plain for words of ours that take several lines.
func plainLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	return strings.Join(lines, "\n  ")
}
