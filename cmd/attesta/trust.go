package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"attesta/keys"
)

var trustCommand = command{
	name: "trust", short: "say whom to trust, read the EU trusted lists, say who may issue",
	help: `usage: attesta trust import --lotl FILE|URL [--lists DIR] [--signers FILE.pem]
       attesta trust import --accreditation FILE|URL [--signer FILE.pem]
       attesta trust refresh
       attesta trust add FILE.pem --name NAME [--for seals,time] [--level LEVEL]
                         [--origin URL]...
       attesta trust list [--json]
       attesta trust remove NAME
       attesta trust authority --id URL --name NAME --legal-id ID [--country IT] [--days N]
       attesta trust accredit LEGAL-ID --register NAME --number N --from DAY [--until DAY]
                     [--name NAME] [--also LEGAL-ID]... [--link URL] [--eqf N] [--field CODE]...
                     [--region CODE]... [--sealed-by LEGAL-ID]... [--reason TEXT]
       attesta trust suspend LEGAL-ID [--from DAY] [--until DAY] [--number N] [--reason TEXT]
       attesta trust reinstate LEGAL-ID [--from DAY] [--number N]
       attesta trust end LEGAL-ID --until DAY [--number N] [--reason TEXT]
       attesta trust rename LEGAL-ID --name NAME --from DAY
       attesta trust export FILE [--certificate FILE.pem] [--days N] [--sequence N]

Keeps the folder of anchors: whose seals and time-stamps count, and at what
level. A running server takes up every change at the next check.

import reads the list of lists of the European Union and the national lists that
it points to, and takes from them the services that issue certificates for
qualified seals and those that make qualified time-stamps. Each list must carry
the signature of who may sign it. One that cannot be read does not stop the
others; what was read of it before is kept until it fades, six months after its
next update was due.

  --lotl FILE|URL      the list of lists
  --lists DIR          take the national lists from the .xml files of this folder
                       and ask nobody; without it they are fetched
  --signers FILE.pem   the certificates that may sign the list of lists, as the
                       Official Journal publishes them. Needed the first time;
                       afterwards the list itself announces the next ones

add takes one certificate: that of an authority, or that of one seal or one
time-stamping service, and then vouches for this one certificate only. remove
takes an anchor away by its name or by the name of its file.

  --name NAME          what people read: who vouches for a seal
  --for USES           seals, time or seals,time (seals)
  --level LEVEL        advanced or demonstration (advanced)
  --origin URL         an address on this machine or in a private network, such
                       as http://127.0.0.1:8080, that may be asked for status
                       lists and lists of revoked certificates. Elsewhere only
                       public addresses are asked. Can be repeated

import --accreditation takes up the list of accredited providers of an
authority, such as a region: who may issue, for what, and since when. It is
believed for its seal. A provider that a list knows issues here only as the list
says, and every check says whether it was accredited on the day of issuing and
is today. An older list is refused, and one from which an entry was removed.
refresh reads those again that came from an address; a running server does so
every hour.

  --accreditation FILE|URL  the sealed list
  --signer FILE.pem    the certificate of the authority that signs it, or of who
                       issued that one. Needed the first time

An installation can be such an authority. authority says which one; with the
others it keeps its list, where entries are ended and never removed. Days are
days in Rome, the first and the last one included. Every change is a new number
of the list, sealed with the key of the authority; export writes it for others,
with new dates.

  --id URL             address or URN of the list; others know it by that
  --legal-id ID        legal identifier, such as VATIT-00000000000
  --name NAME          of the authority, or of a provider that is new or renamed
  --register, --number, --link   where the accreditation stands
  --from, --until DAY  first and last day; for reinstate the first day on which
                       it counts again. Today where --from may be left out
  --also ID            another legal identifier of the same provider
  --eqf N              only modules up to this EQF level
  --field CODE         only modules of this field of ISCED-F: 04 covers 041, 0417
  --region CODE        only providers of this region: NUTS or ATU code, or country
  --sealed-by ID       who may seal what the provider awards, under a mandate
  --number N           the one accreditation that is meant, where there are several
  --days N             for how long a list speaks before it must be renewed (31)
  --sequence N         the list gets at least this number; after a restore, one
                       above the last that others have
  --certificate FILE   write the certificate that others name with --signer
  --by NAME            who does it, for the log (the account on this computer, or
                       $ATTESTA_BY)

  --json               print the list as JSON
  --data DIR           the anchors of the installation in this folder
                       (attesta-data, or $ATTESTA_DATA)
  --trust DIR          another folder of anchors ($ATTESTA_TRUST)

Exit code: 0 done, 1 something failed, 2 called wrongly.
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		if len(args) > 0 && accreditVerbs()[args[0]].words > 0 {
			return accredit(ctx, c, args)
		}
		f := flags("trust")
		held, signer := f.String("accreditation", "", ""), f.String("signer", "", "")
		data, dir := dataFlag(f, c), f.String("trust", c.getenv("ATTESTA_TRUST"), "")
		lotl, lists, signers := f.String("lotl", "", ""), f.String("lists", "", ""), f.String("signers", "", "")
		name, uses, level := f.String("name", "", ""), f.String("for", string(keys.ForSeals), ""), f.String("level", string(keys.Advanced), "")
		asJSON, origins := f.Bool("json", false, ""), many{}
		f.Var(&origins, "origin", "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) == 0 {
			return exitUsage, misuse("for example: attesta trust list", "say what to do: import, refresh, add, list or remove, or keep a list of providers")
		}
		words := map[string]int{"import": 1, "refresh": 1, "add": 2, "list": 1, "remove": 2}[rest[0]]
		if words == 0 || len(rest) != words {
			return exitUsage, misuse("", "%q is not: import, refresh, add FILE, list or remove NAME", strings.Join(rest, " "))
		}
		anchors, err := anchorsIn(*dir, folder(*data), rest[0] == "import" || rest[0] == "add")
		if err != nil {
			return exitUsage, err
		}
		noted := *dir == ""
		switch rest[0] {
		case "refresh":
			return refreshHeld(ctx, c, anchors, folder(*data), noted)
		case "import":
			if *held != "" {
				return importAccreditation(ctx, c, anchors, folder(*data), noted, *held, *signer)
			}
			return importLists(ctx, c, anchors, *lotl, *lists, *signers)
		case "add":
			return addAnchor(c, anchors, rest[1], keys.Anchor{Name: *name, Level: keys.Level(*level), For: usesOf(*uses), Origins: origins})
		case "remove":
			if found := heldNamed(anchors, rest[1]); len(found) == 1 {
				return removeHeldList(ctx, c, anchors, folder(*data), noted, found[0])
			}
			return removeAnchor(c, anchors, rest[1])
		}
		return listAnchors(c, anchors, *asJSON)
	},
}

// anchorFolder is a folder of anchors.
type anchorFolder string

func (d anchorFolder) lists() string   { return filepath.Join(string(d), keys.ListsFile) }
func (d anchorFolder) signers() string { return filepath.Join(string(d), keys.SignersFile) }

// anchorsIn finds the folder of anchors that a person means, and makes it when
// something is to be put into it.
func anchorsIn(dir string, data folder, changes bool) (anchorFolder, error) {
	if dir == "" {
		if _, err := os.Stat(string(data)); err != nil {
			return "", misuse("name an installation with --data DIR, or a folder of anchors with --trust DIR", "there is no attesta data in %s", string(data))
		}
		dir = data.trust()
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return "", misuse("name a folder of anchors", "%s is a file", dir)
	}
	if changes {
		if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // anchors are public
			return "", fmt.Errorf("making the folder of anchors: %w", err)
		}
	}
	return anchorFolder(dir), nil
}

// reserved are the files of the folder that are not the operator's.
func reserved() []string { return []string{keys.ListsFile, filepath.Base(folder("").own())} }

func usesOf(text string) []keys.Use {
	var uses []keys.Use
	for word := range strings.SplitSeq(text, ",") {
		uses = append(uses, keys.Use(strings.TrimSpace(word)))
	}
	return uses
}

var notInFileNames = regexp.MustCompile(`[^a-z0-9]+`)

// fileWord makes a name into a word for a file; "" when nothing is left.
func fileWord(name string) string {
	bare := strings.NewReplacer("à", "a", "è", "e", "é", "e", "ì", "i", "ò", "o", "ù", "u").Replace(strings.ToLower(name))
	return strings.Trim(notInFileNames.ReplaceAllString(bare, "-"), "-")
}

func addAnchor(c *console, d anchorFolder, file string, a keys.Anchor) (int, error) {
	word := fileWord(a.Name)
	switch {
	case word == "":
		return exitUsage, misuse("for example: --name \"Autorità regionale\"", "say with --name who it is, as people know it")
	case slices.Contains(reserved(), word+".json"):
		return exitUsage, misuse("choose another name", "--name %q is that of a file that attesta writes itself", a.Name)
	case a.Level != keys.Advanced && a.Level != keys.Demonstration:
		return exitUsage, misuse("qualified are only the services that attesta trust import reads", "--level %q is not advanced or demonstration", string(a.Level))
	}
	for _, use := range a.For {
		if use != keys.ForSeals && use != keys.ForTime {
			return exitUsage, misuse("seals, time or seals,time", "--for %q is not seals or time", string(use))
		}
	}
	var err error
	if a.Origins, err = originsOf(a.Origins); err != nil {
		return exitUsage, err
	}
	if filepath.Ext(file) == ".json" {
		return exitUsage, misuse("name a certificate in PEM", "%s is no certificate", file)
	}
	if a.Certificate, err = oneCertificate(file); err != nil {
		return exitNo, err
	}
	name := filepath.Join(string(d), word+".json")
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return exitNo, &hinted{fmt.Errorf("adding %s: there is an anchor %s already", file, word), "remove it first, or choose another name"}
	}
	if err := keys.WriteAnchor(name, a); err != nil {
		return exitNo, err
	}
	c.printf("%s is trusted for %s, at level %s\n", plain(a.Name), joinUses(a.For), a.Level)
	if !a.Certificate.IsCA {
		c.printf("This is not the certificate of an authority: it vouches for what was made with this one certificate only.\n")
	}
	for _, origin := range a.Origins {
		c.printf("%s may be asked although it is not public\n", origin)
	}
	return exitDone, nil
}

// originsOf reads addresses of which only scheme, host and port are given.
func originsOf(addresses []string) ([]string, error) {
	var origins []string
	for _, address := range addresses {
		u, err := url.Parse(strings.TrimSuffix(address, "/"))
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Scheme+"://"+u.Host != strings.TrimSuffix(address, "/") {
			return nil, misuse("scheme, host and port as they stand in the credential or in the certificate, such as http://127.0.0.1:8080", "--origin %q is not the beginning of a web address", address)
		}
		origins = append(origins, u.Scheme+"://"+u.Host)
	}
	return origins, nil
}

// oneCertificate reads the one certificate of a file.
func oneCertificate(file string) (*x509.Certificate, error) {
	const remedy = "name a file with the one certificate that you trust, in PEM"
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &hinted{fmt.Errorf("adding %s: there is no such file", file), remedy}
	case err != nil:
		return nil, fmt.Errorf("adding %s: %w", file, err)
	case info.IsDir():
		return nil, &hinted{fmt.Errorf("adding %s: it is a folder", file), remedy}
	}
	read, err := keys.LoadTrust(file)
	if err != nil {
		return nil, &hinted{err, remedy}
	}
	if len(read.Anchors) != 1 {
		return nil, &hinted{fmt.Errorf("adding %s: it holds %s", file, count(len(read.Anchors), "certificate")), remedy}
	}
	return read.Anchors[0].Certificate, nil
}

// anchorsOfFile are the anchors that stand in one file.
type anchorsOfFile struct {
	file    string
	anchors []keys.Anchor
}

// own reads the anchors that the operator put into the folder, by file.
func (d anchorFolder) own() ([]anchorsOfFile, error) {
	entries, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the folder of anchors: %w", err)
	}
	var all []anchorsOfFile
	for _, e := range entries {
		ending := filepath.Ext(e.Name())
		if e.IsDir() || ending != ".json" && ending != ".pem" || e.Name() == keys.ListsFile || e.Name() == keys.SignersFile {
			continue
		}
		name := filepath.Join(string(d), e.Name())
		read, err := keys.LoadTrust(name)
		if err != nil {
			return nil, err
		}
		all = append(all, anchorsOfFile{name, read.Anchors})
	}
	return all, nil
}

func removeAnchor(c *console, d anchorFolder, name string) (int, error) {
	own, err := d.own()
	if err != nil {
		return exitNo, err
	}
	var found []string
	for _, f := range own {
		base := filepath.Base(f.file)
		named := len(f.anchors) == 1 && f.anchors[0].Name == name
		if named || base == name || strings.TrimSuffix(base, filepath.Ext(base)) == name {
			found = append(found, f.file)
		}
	}
	lists := filepath.Base(d.lists())
	if name == lists || name+".json" == lists {
		found = []string{d.lists()}
	}
	switch {
	case len(found) == 0:
		return exitNo, &hinted{fmt.Errorf("removing %s: there is no such anchor", name), "see: attesta trust list"}
	case len(found) > 1:
		return exitNo, &hinted{fmt.Errorf("removing %s: %d anchors have that name", name, len(found)), "name the file, as attesta trust list shows it"}
	case found[0] == filepath.Join(string(d), filepath.Base(folder("").own())):
		return exitNo, fmt.Errorf("removing %s: an installation vouches for itself, and writes that anchor again", name)
	}
	if err := os.Remove(found[0]); err != nil {
		return exitNo, fmt.Errorf("removing %s: %w", name, err)
	}
	c.printf("%s is trusted no longer\n", plain(name))
	return exitDone, nil
}

func joinUses(uses []keys.Use) string {
	if len(uses) == 0 {
		return string(keys.ForSeals)
	}
	var words []string
	for _, use := range uses {
		words = append(words, string(use))
	}
	return strings.Join(words, ", ")
}

// anchorAnswer is an anchor as attesta trust list says it.
type anchorAnswer struct {
	Name        string        `json:"name"`
	Level       keys.Level    `json:"level"`
	For         []keys.Use    `json:"for"`
	Certificate string        `json:"certificate"` // its fingerprint
	Until       time.Time     `json:"until"`       // the end of the certificate
	File        string        `json:"file"`
	Territory   string        `json:"territory,omitempty"`
	Periods     []keys.Period `json:"periods,omitempty"`
	Origins     []string      `json:"origins,omitempty"`
}

func answerOf(a keys.Anchor, file string) anchorAnswer {
	answer := anchorAnswer{
		Name: a.Name, Level: a.Level, For: a.For, Certificate: keys.Fingerprint(a.Certificate),
		Until: a.Certificate.NotAfter, File: filepath.Base(file), Periods: a.Periods, Origins: a.Origins,
	}
	if len(answer.For) == 0 {
		answer.For = []keys.Use{keys.ForSeals}
	}
	if a.List != nil {
		answer.Territory = a.List.Territory
	}
	return answer
}

func listAnchors(c *console, d anchorFolder, asJSON bool) (int, error) {
	lists, err := keys.ReadLists(d.lists())
	if err != nil {
		return exitNo, err
	}
	files, err := d.own()
	if err != nil {
		return exitNo, err
	}
	own, all := []anchorAnswer{}, []anchorAnswer{}
	for _, f := range files {
		for _, a := range f.anchors {
			own = append(own, answerOf(a, f.file))
		}
	}
	rows := rowsOf(lists, c.now())
	held, answers, bad := heldAnswers(d, c.now())
	if asJSON {
		for _, a := range lists.Anchors {
			all = append(all, answerOf(a, d.lists()))
		}
		return exitDone, printJSON(c, map[string]any{"lists": rows, "anchors": slices.Concat(own, all), "accreditations": answers})
	}
	if len(own) > 0 {
		c.printf("%-28s  %-13s  %-11s  %-10s  %s\n", "FILE", "LEVEL", "FOR", "UNTIL", "NAME")
	}
	for _, a := range own {
		c.printf("%-28s  %-13s  %-11s  %-10s  %s\n", plain(a.File), a.Level, joinUses(a.For), a.Until.Format(time.DateOnly), plain(a.Name))
		for _, origin := range a.Origins {
			c.printf("%-28s  may be asked although not public: %s\n", "", plain(origin))
		}
	}
	if len(rows) > 0 {
		printListHead(c)
	}
	for _, row := range rows {
		printListRow(c, row)
	}
	for _, h := range held {
		printHeld(c, h, c.now())
	}
	if len(own)+len(rows)+len(held)+len(bad) == 0 {
		c.printf("nobody is trusted\n")
	}
	if err := errors.Join(bad...); err != nil {
		return exitNo, &hinted{err, removeHeld}
	}
	return exitDone, nil
}
