package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"attesta/keys"
	"attesta/trustlist"
	"attesta/verifier"
)

// listTime bounds the fetching of one list.
const listTime = time.Minute

// europe is the territory of the list of lists.
const europe = "EU"

// listImport reads the list of lists and what it points to.
type listImport struct {
	now     time.Time
	before  keys.Lists
	read    keys.Lists
	guarded *verifier.Guarded
	origins []string // named by the operator: they may be inside
	local   map[string]string
	offline bool
	useless map[string][]string // services without a certificate that can be read, by territory
}

func importLists(ctx context.Context, c *console, d anchorFolder, lotl, lists, signers string) (int, error) {
	if lotl == "" {
		return exitUsage, misuse("for example: --lotl https://ec.europa.eu/tools/lotl/eu-lotl.xml", "name the list of lists with --lotl")
	}
	mayBy, err := d.maySign(signers)
	if err != nil {
		return exitUsage, err
	}
	i := &listImport{now: c.now(), offline: lists != "", useless: map[string][]string{}, guarded: verifier.NewGuardedFor(verifier.Limits{
		Bytes: trustlist.MaxBytes, Time: listTime, Plain: true,
		Accept: trustlist.MediaType + ", application/xml, text/xml", Kinds: []string{"application/", "text/"},
	})}
	if i.before, err = keys.ReadLists(d.lists()); err != nil {
		return exitNo, err
	}
	if i.local, err = listsIn(lists); err != nil {
		return exitUsage, err
	}
	raw, err := i.get(ctx, lotl)
	if err != nil {
		return exitNo, err
	}
	top, err := i.listOfLists(raw, mayBy, lotl)
	if err != nil {
		err = fmt.Errorf("%s: %w", lotl, err)
		if bytes.Contains(raw, []byte("-----BEGIN CERTIFICATE")) {
			err = &hinted{err, "certificates go with --signers; --lotl names the list of lists itself, an XML file"}
		}
		return exitNo, err
	}
	failed := i.national(ctx, c, top)
	if err := ctx.Err(); err != nil {
		return exitNo, err
	}
	if err := keys.WriteLists(d.lists(), i.read); err != nil {
		return exitNo, err
	}
	if err := d.keepSigners(top, mayBy); err != nil {
		return exitNo, err
	}
	c.printf("%s of services stand in %s\n", count(len(i.read.Anchors), "certificate"), d.lists())
	if failed > 0 {
		c.printf("%s could not be read\n", count(failed, "list"))
		return exitNo, nil
	}
	return exitDone, nil
}

// maySign reads the certificates that may sign the list of lists: those that
// the operator names, or those kept from the last time.
func (d anchorFolder) maySign(named string) ([][]byte, error) {
	const where = "its first signers are published in the Official Journal of the European Union: docs/howto/trust.md says where"
	name := named
	if name == "" {
		name = d.signers()
	}
	raw, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && named == "" {
		return nil, misuse(where, "who may sign the list of lists is not known yet: name their certificates with --signers FILE.pem")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the signers: %w", err)
	}
	var all [][]byte
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			all = append(all, block.Bytes)
		}
	}
	if len(all) == 0 {
		return nil, misuse(where, "there are no certificates in %s", name)
	}
	return all, nil
}

// keepSigners writes who may sign the next list of lists: those that this one,
// whose signature is good, announces in its pointer to itself, and who signed
// this one.
func (d anchorFolder) keepSigners(top *trustlist.List, before [][]byte) error {
	next := [][]byte{top.Signer.Raw}
	for _, p := range top.Pointers {
		if p.OfLists && p.Territory == europe {
			next = append(next, p.Signers...)
		}
	}
	if len(next) == 1 { // it announces nobody
		next = append(next, before...)
	}
	var out bytes.Buffer
	for n, der := range next {
		if !slices.ContainsFunc(next[:n], func(other []byte) bool { return bytes.Equal(other, der) }) {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		}
	}
	return keys.WriteFile(d.signers(), out.Bytes())
}

// listsIn finds the national lists in a folder, by territory: by the name of
// the file, or else by what the list claims.
func listsIn(dir string) (map[string]string, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, misuse("name a folder with lists", "the folder of lists: %s", err)
	}
	byName, byContent := map[string]string{}, map[string]string{}
	for _, e := range entries {
		ending := filepath.Ext(e.Name())
		if e.IsDir() || !strings.EqualFold(ending, ".xml") {
			continue
		}
		name := filepath.Join(dir, e.Name())
		byName[strings.ToUpper(strings.TrimSuffix(e.Name(), ending))] = name
		if raw, err := readList(name); err == nil {
			if territory := trustlist.Territory(raw); byContent[territory] == "" {
				byContent[territory] = name
			}
		}
	}
	for territory, name := range byContent {
		if byName[territory] == "" {
			byName[territory] = name
		}
	}
	return byName, nil
}

func readList(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, trustlist.MaxBytes+1)) // Read refuses what is longer
	if err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	return raw, nil
}

// get reads the list of lists from where the operator says. Its origin may be
// asked for the others too, also inside, such as a mirror.
func (i *listImport) get(ctx context.Context, from string) ([]byte, error) {
	if !strings.HasPrefix(from, "https://") && !strings.HasPrefix(from, "http://") {
		return readList(filepath.Clean(from))
	}
	if u, err := url.Parse(from); err == nil {
		i.origins = []string{u.Scheme + "://" + u.Host}
	}
	raw, err := i.guarded.Fetch(ctx, from, i.origins)
	if err != nil {
		return nil, &hinted{fmt.Errorf("fetching %s: %w", from, err), "download the lists in a browser, and name them with --lotl FILE --lists DIR"}
	}
	return raw, nil
}

func (i *listImport) listOfLists(raw []byte, signers [][]byte, source string) (*trustlist.List, error) {
	top, err := trustlist.Read(raw, signers)
	if err != nil {
		return nil, err
	}
	if !top.OfLists || top.Territory != europe {
		return nil, errors.New("reading the list: it is not the list of lists of the European Union")
	}
	if !slices.ContainsFunc(top.Pointers, isNational) {
		return nil, errors.New("reading the list: it points to no national list")
	}
	if err := i.mayFollow(top); err != nil {
		return nil, err
	}
	i.read.Lists = append(i.read.Lists, listOf(top, source))
	return top, nil
}

// mayFollow refuses a list of the future, and one that is older than what was
// read before: an old one may hide what was withdrawn since.
func (i *listImport) mayFollow(l *trustlist.List) error {
	if l.Issued.After(i.now.Add(time.Hour)) {
		return fmt.Errorf("reading the list: it was issued on %s, which is to come; check the clock of this machine", l.Issued.Format(time.DateOnly))
	}
	for _, old := range i.before.Lists {
		if old.Territory == l.Territory && (l.Issued.Before(old.Issued) || l.Sequence < old.Sequence) {
			return fmt.Errorf("reading the list: number %d of %s is older than number %d, which was read before", l.Sequence, l.Issued.Format(time.DateOnly), old.Sequence)
		}
	}
	return nil
}

func isNational(p trustlist.Pointer) bool { return !p.OfLists && p.MediaType == trustlist.MediaType }

func listOf(l *trustlist.List, source string) keys.List {
	return keys.List{Territory: l.Territory, Sequence: l.Sequence, Issued: l.Issued, NextUpdate: l.NextUpdate, Digest: l.Digest, Source: source}
}

// national reads the lists that the list of lists points to, says what became
// of each, and returns how many failed.
func (i *listImport) national(ctx context.Context, c *console, top *trustlist.List) int {
	var territories []string
	pointers := map[string][]trustlist.Pointer{}
	for _, p := range top.Pointers {
		if !isNational(p) {
			continue
		}
		if pointers[p.Territory] == nil {
			territories = append(territories, p.Territory)
		}
		pointers[p.Territory] = append(pointers[p.Territory], p)
	}
	slices.Sort(territories)
	printListHead(c)
	printListRow(c, rowOf(i.read.Lists[0], nil, i.now))
	failed := 0
	for _, territory := range territories {
		if ctx.Err() != nil {
			return failed
		}
		list, anchors, err := i.ofTerritory(ctx, pointers[territory])
		if err == nil {
			i.keep(list, anchors)
			printListRow(c, rowOf(list, anchors, i.now))
			printUseless(c, i.useless[territory])
			continue
		}
		failed++
		row := i.keepOld(territory)
		row.State = "FAILED: " + err.Error() + row.State
		printListRow(c, row)
	}
	return failed
}

func (i *listImport) keep(list keys.List, anchors []keys.Anchor) {
	i.read.Lists = append(i.read.Lists, list)
	i.read.Anchors = append(i.read.Anchors, anchors...)
}

// keepOld keeps what was read of a territory before, until it fades by itself.
func (i *listImport) keepOld(territory string) listRow {
	for _, old := range i.before.Lists {
		if old.Territory != territory || i.now.After(old.Fades()) {
			continue
		}
		var anchors []keys.Anchor
		for _, a := range i.before.Anchors {
			if a.List.Territory == territory {
				anchors = append(anchors, a)
			}
		}
		i.keep(old, anchors)
		row := rowOf(old, anchors, i.now)
		row.State = "; the one read before is kept"
		return row
	}
	return listRow{List: keys.List{Territory: territory}}
}

// ofTerritory reads the list of one territory from the first of its pointers
// that leads to a good one.
func (i *listImport) ofTerritory(ctx context.Context, pointers []trustlist.Pointer) (keys.List, []keys.Anchor, error) {
	var last error
	for _, p := range pointers {
		raw, source, err := i.raw(ctx, p)
		if err != nil {
			last = err
			continue
		}
		l, err := trustlist.Read(raw, p.Signers)
		if err == nil && (l.OfLists || l.Territory != p.Territory) {
			err = fmt.Errorf("reading the list: it is the one of %s", l.Territory)
		}
		if err == nil {
			err = i.mayFollow(l)
		}
		if err != nil {
			last = err
			continue
		}
		list, anchors, useless := anchorsOf(l, source)
		i.useless[p.Territory] = useless
		return list, anchors, nil
	}
	return keys.List{}, nil, last
}

func (i *listImport) raw(ctx context.Context, p trustlist.Pointer) (raw []byte, source string, err error) {
	if !i.offline {
		raw, err = i.guarded.Fetch(ctx, p.Address, i.origins)
		if err != nil {
			err = fmt.Errorf("fetching %s: %w", p.Address, err)
		}
		return raw, p.Address, err
	}
	name := i.local[p.Territory]
	if name == "" {
		return nil, "", fmt.Errorf("there is no file for it; it is published at %s", p.Address)
	}
	raw, err = readList(name)
	return raw, filepath.Base(name), err
}

// anchorsOf takes the services of a list for anchors, and names those of which
// no certificate can be read. A service whose list
// takes the qualified status from some of its certificates gives no qualified
// seals: by which criteria is not looked at.
func anchorsOf(l *trustlist.List, source string) (list keys.List, anchors []keys.Anchor, useless []string) {
	list = listOf(l, source)
	for _, s := range l.Services {
		if len(s.Granted) == 0 {
			continue
		}
		if len(s.Certificates) == 0 {
			useless = append(useless, s.Provider+", "+s.Name)
		}
		a := keys.Anchor{Name: s.Provider, Level: keys.Qualified, For: []keys.Use{keys.ForSeals}}
		if s.Kind == trustlist.Time {
			a.For = []keys.Use{keys.ForTime}
		}
		if s.Excepts {
			a.Level = keys.Advanced
		}
		if a.Name == "" {
			a.Name = s.Name
		}
		for _, p := range s.Granted {
			a.Periods = append(a.Periods, keys.Period(p))
		}
		for _, c := range s.Certificates {
			a.Certificate = c
			anchors = append(anchors, a)
		}
	}
	list.Unusable = len(useless)
	for n := range anchors {
		anchors[n].List = &list
	}
	return list, anchors, useless
}
