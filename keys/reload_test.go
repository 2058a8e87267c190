package keys

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// two are two programs with one folder of keys.
func two(t *testing.T) (a, b *Ring, dir string) {
	t.Helper()
	a, dir = filled(t)
	return a, must(openRing(t, dir))(t), dir
}

func reload(t *testing.T, r *Ring, want bool) {
	t.Helper()
	if changed, err := r.Reload(); err != nil || changed != want {
		t.Errorf("reloading: %v, %v; want %v", changed, err, want)
	}
}

// K1, K2: what one program does with a key the other knows from its next look
// on, also where it holds the key already, and says so to everybody.
func TestReload(t *testing.T) {
	a, b, _ := two(t)
	reload(t, b, false)
	held, before := current(t, b, Seal), must(b.JWKS())(t)
	list := must(b.CRL(theMoment))(t)

	fresh := must(a.Rotate(Seal, theOwner, theMoment, time.Hour))(t)
	if k := current(t, b, Seal); k.ID != held.ID {
		t.Errorf("before it looked it signs with %s", k.ID)
	}
	reload(t, b, true)
	reload(t, b, false)
	if k := current(t, b, Seal); k.ID != fresh.ID {
		t.Errorf("after it looked it signs with %s, not with %s", k.ID, fresh.ID)
	}
	if _, err := held.Sign([]byte("x")); err != nil { // within the overlap
		t.Errorf("the former key does not finish: %v", err)
	}

	must(a.Revoke(held.ID, theMoment.Add(-time.Hour), theMoment))(t)
	if _, err := held.Sign([]byte("x")); err != nil {
		t.Errorf("the control: before it looked the other program signs: %v", err)
	}
	reload(t, b, true)
	if _, err := held.Sign([]byte("x")); !errors.Is(err, ErrNoKey) {
		t.Errorf("who held a revoked key signs with it: %v", err)
	}
	if err := byID(t, b, held.ID).MaySign(theMoment); !errors.Is(err, ErrNoKey) {
		t.Errorf("a revoked key may sign: %v", err)
	}
	after := must(b.JWKS())(t)
	if bytes.Equal(before, after) || bytes.Contains(after, []byte(held.ID)) || !bytes.Contains(after, []byte(fresh.ID)) {
		t.Error("the published keys are not those of now")
	}
	if bytes.Equal(list, must(b.CRL(theMoment))(t)) {
		t.Error("the list of revoked certificates is the one of before")
	}
	// What both change after that is kept by both.
	reload(t, a, false)
	must(b.Rotate(Status, theOwner, theMoment, 0))(t)
	reload(t, a, true)
	if x, y := current(t, a, Status), current(t, b, Status); x.ID != y.ID {
		t.Errorf("one signs lists with %s, the other with %s", x.ID, y.ID)
	}
}

// A folder that is being written, or that says less than before, changes
// nothing, whatever else in it is good; once it is whole it counts.
func TestReloadTakesNothingByHalves(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, file string, whole []byte){
		"cut short":      func(t *testing.T, file string, whole []byte) { writeTo(t, file, whole[:len(whole)/2]) },
		"empty":          func(t *testing.T, file string, _ []byte) { writeTo(t, file, nil) },
		"missing":        func(t *testing.T, file string, _ []byte) { must(0, os.Remove(file))(t) },
		"open to others": func(t *testing.T, file string, _ []byte) { must(0, os.Chmod(file, 0o644))(t) },
		"with another's content": func(t *testing.T, file string, whole []byte) {
			writeTo(t, file, bytes.Replace(whole, []byte(`"seal"`), []byte(`"status"`), 1))
		},
		"there twice": func(t *testing.T, file string, whole []byte) {
			writeTo(t, strings.TrimSuffix(file, keyEnding)+"-copy"+keyEnding, whole)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, which := range []string{"the former key", "the new key"} {
				if which == "the new key" && (name == "missing" || name == "with another's content") {
					continue // that there should be one the folder does not say: the registry does
				}
				a, b, _ := two(t)
				held := current(t, b, Seal)
				fresh := must(a.Rotate(Seal, theOwner, theMoment, 0))(t)
				must(a.Rotate(Status, theOwner, theMoment, 0))(t)
				file := a.fileOf(map[string]string{"the former key": held.ID, "the new key": fresh.ID}[which])
				whole := readFile(t, file)
				spoil(t, file, whole)
				for range 2 {
					if changed, err := b.Reload(); err == nil || changed {
						t.Errorf("it took a folder in which the file of %s is %s: %v", which, name, changed)
					}
				}
				if k := current(t, b, Seal); k.ID != held.ID || len(b.All()) != 3 {
					t.Errorf("it signs with %s and has %d keys", k.ID, len(b.All()))
				}
				_ = os.Remove(strings.TrimSuffix(file, keyEnding) + "-copy" + keyEnding)
				writeTo(t, file, whole)
				must(0, os.Chmod(file, 0o600))(t)
				reload(t, b, true)
				if x, y := current(t, a, Seal), current(t, b, Seal); x.ID != y.ID || len(b.All()) != 5 {
					t.Errorf("mended, one signs with %s and the other with %s", x.ID, y.ID)
				}
			}
		})
	}
}

// K1: an older copy of the folder does not bring a key back.
func TestReloadTakesNoEndBack(t *testing.T) {
	for name, end := range map[string]func(r *Ring, id string) (*Key, error){
		"revoked": func(r *Ring, id string) (*Key, error) { return r.Revoke(id, theMoment, theMoment) },
		"retired": func(r *Ring, id string) (*Key, error) { return r.Retire(id, theMoment) },
	} {
		a, b, dir := two(t)
		id := current(t, a, Seal).ID
		file := filepath.Join(dir, "keys", id+keyEnding)
		older := readFile(t, file)
		must(end(a, id))(t)
		reload(t, b, true)
		writeTo(t, file, older)
		if _, err := b.Reload(); err == nil || !strings.Contains(err.Error(), "it was "+name) {
			t.Errorf("an older file of a key that was %s: %v", name, err)
		}
		if err := byID(t, b, id).MaySign(theMoment); err == nil {
			t.Errorf("a key that was %s signs again", name)
		}
	}
}

// While files are written in place and in pieces, as some copy them, and others
// sign, every look finds the keys of before or those of after, and no signature
// is lost. Run it with the race detector.
func TestReloadWhileFilesAreWritten(t *testing.T) {
	a, b, dir := two(t)
	held := current(t, b, Seal)
	for range 3 {
		must(a.Rotate(Seal, theOwner, theMoment, time.Hour))(t)
	}
	from := map[string][]byte{}
	for _, k := range a.All() {
		from[k.ID+keyEnding] = readFile(t, a.fileOf(k.ID))
	}
	copyOf := t.TempDir()
	writeTo(t, filepath.Join(copyOf, "master.key"), readFile(t, filepath.Join(dir, "master.key")))
	must(0, os.Mkdir(filepath.Join(copyOf, "keys"), 0o700))(t)
	for _, k := range b.All() { // as the other machine has it
		raw := from[k.ID+keyEnding]
		writeTo(t, filepath.Join(copyOf, "keys", k.ID+keyEnding), raw)
	}
	c := must(openRing(t, copyOf))(t)
	known := len(c.All())

	var wait sync.WaitGroup
	stop := make(chan struct{})
	wait.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			k := byID(t, c, held.ID)
			if _, err := k.Sign([]byte("x")); err != nil {
				t.Errorf("signing meanwhile: %v", err)
				return
			}
		}
	})
	wait.Go(func() {
		defer close(stop)
		for name, raw := range from {
			f, err := os.OpenFile(filepath.Join(copyOf, "keys", name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
			if err != nil {
				t.Error(err)
				return
			}
			for at := 0; at < len(raw); at += 200 {
				_, _ = f.Write(raw[at:min(at+200, len(raw))])
				time.Sleep(200 * time.Microsecond)
			}
			_ = f.Close()
		}
	})
	refused, looks := 0, 0
	for more := true; more; looks++ {
		select {
		case <-stop:
			more = false
		default:
		}
		if _, err := c.Reload(); err != nil {
			refused++
		}
		if n := len(c.All()); n < known {
			t.Fatalf("it forgot keys: %d of %d", n, known)
		} else {
			known = n
		}
	}
	wait.Wait()
	reload(t, c, false)
	if len(c.All()) != len(from) || refused == 0 {
		t.Errorf("%d of %d keys; of %d looks %d met a folder that was being written", len(c.All()), len(from), looks, refused)
	}
}
