package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkColdStart (B15) starts the compiled program until it serves: the
// demonstration from nothing, issuing 125 credentials, and a server over them. Its size (program-KB)
// and what it holds in memory at rest (B16: rss-KB, anon-KB) are measured with
// it.
func BenchmarkColdStart(b *testing.B) {
	program := filepath.Join(b.TempDir(), "attesta")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("DemoFromNothing", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			dir := b.TempDir()
			b.StartTimer()
			stop, _ := startProgram(b, program, dir, "demo")
			stop()
		}
	})
	b.Run("ServeWithData", func(b *testing.B) {
		dir := b.TempDir()
		stop, _ := startProgram(b, program, dir, "demo")
		stop()
		var rss, anonymous float64
		for b.Loop() {
			stop, pid := startProgram(b, program, dir, "serve")
			b.StopTimer()
			if rss == 0 {
				time.Sleep(time.Second)
				rss, anonymous = memory(pid)
			}
			stop()
			b.StartTimer()
		}
		b.ReportMetric(rss, "rss-KB")
		b.ReportMetric(anonymous, "anon-KB")
		b.ReportMetric(float64(info.Size()>>10), "program-KB")
	})
}

// startProgram runs a subcommand until it says that it is ready.
func startProgram(b *testing.B, program, dir, subcommand string) (stop func(), pid int) {
	b.Helper()
	cmd := exec.Command(program, subcommand, "--data", dir+"/data", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "ready") {
	}
	if !strings.HasPrefix(lines.Text(), "ready") {
		b.Fatalf("the program did not become ready: %v", cmd.Wait())
	}
	return func() {
		if err := cmd.Process.Kill(); err != nil {
			b.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}, cmd.Process.Pid
}

// memory reads what the kernel says of a process, 0 where it does not.
func memory(pid int) (rss, anonymous float64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(raw)) {
		_, _ = fmt.Sscanf(line, "VmRSS: %f", &rss)
		_, _ = fmt.Sscanf(line, "RssAnon: %f", &anonymous)
	}
	return rss, anonymous
}
