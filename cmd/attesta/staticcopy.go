package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"attesta/accreditation"
	"attesta/brief"
	"attesta/credentials"
	"attesta/keys"
	"attesta/presentation"
	"attesta/verifier"
)

// staticCopy is a folder that attesta export wrote, as a fetcher of what the
// installation published. It asks nobody.
type staticCopy struct {
	manifest
	dir   string
	names map[string]string // of files, by address
}

func openCopy(dir string) (*staticCopy, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	s := &staticCopy{manifest: m, dir: dir, names: map[string]string{}}
	for _, f := range m.Files {
		s.names[m.PublicURL+f.Path] = f.Name
	}
	return s, nil
}

// Fetch implements verifier.Fetcher.
func (s *staticCopy) Fetch(_ context.Context, address string, _ []string) ([]byte, error) {
	name, ok := s.names[address]
	if !ok {
		return nil, fmt.Errorf("%w: the copy does not have it", verifier.ErrUnreachable)
	}
	root, err := os.OpenRoot(s.dir) // a name leads nowhere else
	if err != nil {
		return nil, fmt.Errorf("%w: %w", verifier.ErrUnreachable, err)
	}
	defer root.Close()
	file, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", verifier.ErrUnreachable, err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, credentials.MaxSealedBytes+1))
	if err != nil || len(raw) > credentials.MaxSealedBytes {
		return nil, fmt.Errorf("%w: the file %s cannot be read or is too large", verifier.ErrUnreachable, name)
	}
	return raw, nil
}

// verifyStatic judges a file by a static copy.
func verifyStatic(ctx context.Context, c *console, what, dir, trust string, at time.Time, asJSON bool) (int, error) {
	s, err := openCopy(dir)
	if err != nil {
		return exitUsage, misuse("name a folder that attesta export wrote", "--static %s: %s", dir, err)
	}
	short, isShort := brief.In([]byte(what)) // all of it is in the address
	if strings.Contains(what, "://") && !isShort {
		return exitUsage, misuse("download the file first", "--static asks nobody, and %s is an address", what)
	}
	anchors := keys.Trust{}
	if trust != "" {
		anchors, err = trusted(trust, "")
	} else {
		anchors, err = trusted("", dir)
	}
	if err != nil {
		return exitUsage, err
	}
	presented := []byte(short)
	if !isShort {
		if presented, err = readNamed(c, what); err != nil {
			return exitUsage, err
		}
	}
	lists, err := heldFor(trust, dir)
	if err != nil {
		return exitUsage, err
	}
	v := verifier.New(verifier.Config{
		Trust: func() keys.Trust { return anchors }, Now: c.now, Fetcher: s, Accreditations: func() accreditation.Lists { return lists },
	})
	report, then, err := v.VerifyCopy(ctx, presented, at, s.Made)
	if err != nil {
		return exitUsage, err
	}
	if asJSON {
		return exitOf([]presentation.Answer{{Report: &report}}), printJSON(c, report)
	}
	printReport(c, report)
	printCopied(c, s.manifest, report, then)
	return exitOf([]presentation.Answer{{Report: &report}}), nil
}

// printCopied says how old the copy is, and what it said then.
func printCopied(c *console, m manifest, report verifier.Report, then *verifier.Report) {
	language, zone := c.checked(), time.UTC
	if here, err := rome(); err == nil {
		zone = here
	}
	words, day := wordsOfVerify(language), verifier.Day(m.Made.In(zone), language)
	tell := func(sentence string) { c.printf("  %s\n", verifier.Filled(sentence, "day", day)) }
	tell(words.copied)
	switch {
	case then != nil && then.Verdict == verifier.Valid:
		tell(words.valid)
	case then != nil && then.Reason == "status_suspended":
		tell(words.suspended)
	case then != nil:
		tell(words.revoked)
	case report.Find(verifier.CheckStatus).Reason == "status_valid" && !m.Until.IsZero():
		tell(words.lastSigning)
	}
}
