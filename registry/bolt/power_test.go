package bolt

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"attesta/registry"
	"attesta/status"
)

// The words by which TestPowerCut starts this program as its writer.
const (
	powerCuts   = "ATTESTA_POWER_CUTS"
	powerFile   = "ATTESTA_POWER_FILE"
	powerLog    = "ATTESTA_POWER_LOG"
	powerNoSync = "ATTESTA_POWER_NOSYNC"
)

// TestPowerCut cuts the power while a writer reserves, seals and revokes, as
// often as $ATTESTA_POWER_CUTS says: .ci/powercut runs it. The disk is a file
// with a file system in it, mounted by a loop device and itself on a file
// system that clones files: a clone is the disk at that instant, with what had
// reached it and without what the system still held. Mounted again it must open
// with its mark, be whole, and have everything that was acknowledged before the
// clone was begun (T3, B2). The same without syncs must lose something, or the
// test is blind.
//
// Every block that was written counts as kept: a disk that lies about it, or
// tears a block of 4 KiB, is not simulated.
func TestPowerCut(t *testing.T) {
	cuts, err := strconv.Atoi(os.Getenv(powerCuts))
	if err != nil {
		t.Skip("skipped: it mounts file systems; run it by .ci/powercut")
	}
	if os.Geteuid() != 0 {
		t.Fatal("cutting the power needs root, to mount file systems")
	}
	outer := mounted(t, "xfs", filepath.Join(t.TempDir(), "outer.img"), 4<<30, "noatime")
	for _, system := range []string{"ext4", "xfs"} {
		t.Run(system, func(t *testing.T) {
			start := time.Now()
			good := cutPower(t, outer, system, cuts, false)
			t.Logf("%s: %d cuts, %d acknowledgements checked, %d lost, %d unreadable, in %.0f s", system, cuts, good.checked, good.lost, good.bad, time.Since(start).Seconds())
			if good.lost+good.bad > 0 || good.checked < cuts {
				t.Error("a power cut loses what was acknowledged")
			}
			few := max(cuts/5, 2)
			blind := cutPower(t, outer, system, few, true)
			t.Logf("%s without syncs: %d cuts, %d acknowledgements checked, %d lost, %d unreadable", system, few, blind.checked, blind.lost, blind.bad)
			if blind.lost+blind.bad == 0 {
				t.Error("nothing is lost without syncs: this test would see no loss")
			}
		})
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// mounted makes a file system in a new file and mounts it until the test ends.
func mounted(t *testing.T, system, image string, size int64, options string) string {
	t.Helper()
	file, err := os.Create(image)
	if err == nil {
		err = errors.Join(file.Truncate(size), file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if system == "ext4" {
		command(t, "mkfs.ext4", "-q", "-F", image)
	} else {
		command(t, "mkfs.xfs", "-q", "-m", "reflink=1", image)
	}
	return mount(t, image, options)
}

func mount(t *testing.T, image, options string) string {
	t.Helper()
	dir := t.TempDir()
	command(t, "mount", "-o", "loop,"+options, image, dir)
	t.Cleanup(func() { unmount(t, dir) })
	return dir
}

// unmount waits a little for whoever still looks at the folder.
func unmount(t *testing.T, dir string) {
	t.Helper()
	for range 50 {
		if exec.Command("mountpoint", "-q", dir).Run() != nil || exec.Command("umount", dir).Run() == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%s stays mounted", dir)
}

type survived struct{ checked, lost, bad int }

// cutPower clones the disk of a writer and looks at each clone.
func cutPower(t *testing.T, outer, system string, cuts int, noSync bool) (sum survived) {
	t.Helper()
	image := filepath.Join(outer, fmt.Sprintf("%s-%v.img", system, noSync))
	options, replay := "commit=1000", "commit=1000" // nothing is flushed by luck
	if system == "xfs" {
		options, replay = "noatime", "nouuid"
	}
	disk := mounted(t, system, image, 320<<20, options)
	log := filepath.Join(volatile(t), "acknowledged")
	writer := exec.Command(os.Args[0], "-test.run", "^TestPowerWriter$")
	writer.Env = append(os.Environ(), powerFile+"="+filepath.Join(disk, "registry.db"), powerLog+"="+log)
	if noSync {
		writer.Env = append(writer.Env, powerNoSync+"=1")
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Process.Kill(); _ = writer.Wait() }()
	for began := time.Now(); len(acknowledged(t, log, time.Now())) < 20; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("the writer does not write")
		}
	}
	at := make([]time.Time, cuts)
	for n := range at {
		time.Sleep(100*time.Millisecond + time.Duration(n*37%10)*15*time.Millisecond)
		at[n] = time.Now()
		command(t, "cp", "--reflink=always", image, fmt.Sprint(image, ".cut", n))
	}
	_ = writer.Process.Kill()
	_ = writer.Wait()
	unmount(t, disk)
	for n, moment := range at {
		cut := fmt.Sprint(image, ".cut", n)
		t.Run(filepath.Base(cut), func(t *testing.T) {
			dir := mount(t, cut, replay)
			sum.add(t, filepath.Join(dir, "registry.db"), acknowledged(t, log, moment), noSync)
		})
		_ = os.Remove(cut)
	}
	return sum
}

// volatile is a folder that no cut touches.
func volatile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "attesta-power-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// acknowledged are the lines of a log that were there before a moment: time,
// what was done, credential. A last line that was cut is none.
func acknowledged(t *testing.T, log string, before time.Time) (out [][2]string) {
	t.Helper()
	file, err := os.Open(log)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var nano int64
		var done, credential string
		if n, _ := fmt.Sscan(lines.Text(), &nano, &done, &credential); n == 3 && nano < before.UnixNano() {
			out = append(out, [2]string{done, credential})
		}
	}
	return out
}

// add opens the file as it was on the disk at a cut.
func (sum *survived) add(t *testing.T, path string, acks [][2]string, noSync bool) {
	t.Helper()
	sum.checked += len(acks)
	complain := t.Logf
	if !noSync {
		complain = t.Errorf
	}
	s, err := Open(path, Options{})
	if err != nil {
		sum.bad++
		complain("opening: %v", err)
		return
	}
	defer s.Close()
	r := registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
	if err := r.Check(t.Context()); err != nil {
		sum.bad++
		complain("checking: %v", err)
	}
	for _, ack := range acks {
		rec, err := r.ByCredential(t.Context(), ack[1])
		kept := err == nil
		switch ack[0] {
		case "sealed":
			kept = kept && rec.State == registry.Sealed
		case "revoked":
			kept = kept && rec.Status == status.Revoked
		}
		if !kept {
			sum.lost++
		}
	}
	if sum.lost > 0 {
		complain("%d acknowledgements are lost in all", sum.lost)
	}
}

// TestPowerWriter is the writer of TestPowerCut, in a process of its own.
func TestPowerWriter(t *testing.T) {
	path := os.Getenv(powerFile)
	if path == "" {
		t.Skip("skipped: TestPowerCut starts it")
	}
	s, err := Create(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.db.NoSync = os.Getenv(powerNoSync) != ""
	r := registry.New(s, registry.Config{ClaimKey: []byte("a claim key of the tests"), DataKey: []byte("a claim key of the tests")})
	log, err := os.OpenFile(os.Getenv(powerLog), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	say := func(done string, recs []registry.Record) {
		var lines strings.Builder
		for _, rec := range recs {
			fmt.Fprintln(&lines, time.Now().UnixNano(), done, rec.Credential)
		}
		if _, err := log.WriteString(lines.String()); err != nil {
			t.Fatal(err)
		}
	}
	for n := 0; n < 60_000; n += 5 { // until it is killed
		recs := reserveSome(t, r, n, n+5)
		say("reserved", recs)
		var sealings []registry.Sealing
		for _, rec := range recs {
			sealings = append(sealings, registry.Sealing{Seq: rec.Seq, Sealed: []byte(strings.Repeat(rec.Credential, 20))})
		}
		if err := r.Complete(t.Context(), sealings, at); err != nil {
			t.Fatal(err)
		}
		say("sealed", recs)
		change := registry.Change{Credential: recs[0].Credential, To: status.Revoked, Reason: "other", By: "operator"}
		if _, err := r.SetStatus(t.Context(), change, at); err != nil {
			t.Fatal(err)
		}
		say("revoked", recs[:1])
	}
}
