package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"attesta/keys"
)

var keysCommand = command{
	name: "keys", short: "list, import, rotate, retire and revoke keys",
	help: `usage: attesta keys list
       attesta keys rotate --provider ID [--for seal|status] [--overlap TIME]
       attesta keys rotate --legal-id LEGALID
       attesta keys import FILE.p12 --provider ID [--for seal|status] [--password-file FILE]
       attesta keys import FILE.p12 --legal-id LEGALID [--password-file FILE]
       attesta keys attach CHAIN.pem --provider ID [--for seal|status]
                    --module LIBRARY --token LABEL --key LABEL [--password-file FILE]
       attesta keys retire KEY
       attesta keys revoke KEY --since TIME
       attesta keys forget KEY

list shows every key with its purpose, what it is worth and how long it may be
used. Private keys are never shown.

rotate makes new demonstration keys and retires those in use, which may finish
what they began for the overlap. import takes the key of a PKCS #12 file, and
attach one that stays in a device with PKCS #11; either retires the provider's
others for the same purpose. A retired key signs no more, and what it signed
counts.

After a change of the legal identifier, or of who seals for a provider, the
status lists of what was sealed before are still signed for the organisation
that sealed it: list says with which keys. --legal-id names that organisation, to
give it the key for status lists that follows.

revoke is for a key that somebody else may have, or had: it counts no more since
TIME. It is final. The command says what follows for what was sealed.

A running server takes changes up within seconds, also those that another server
of the same data folder made. The registry knows which keys there are: a server
whose folder lacks one, or does not know how one ended, seals nothing until
keys/ is copied to it. forget is for a key that is in no folder any more.

  --provider ID          whose key
  --legal-id LEGALID     the key for status lists of an organisation that seals or
                         sealed here, in the place of --provider and --for
  --for seal|status      seals of credentials, or signatures of status lists
                         (rotate: both; import and attach: seal). For the list
                         that attesta trust authority keeps: --provider authority
                         --for accreditation. For the receipts of checks (rotate):
                         --provider installation --for receipt
  --overlap TIME         such as 48h (24h)
  --since TIME           2026-03-14, the start of that day in Rome, or
                         2026-03-14T10:00:00Z
  --module LIBRARY       the PKCS #11 library of the device
  --token LABEL          the token in it
  --key LABEL            the key pair in the token
  --password-file FILE   the password of the file, or the PIN of the device, in
                         its first line; else standard input is read
  --data DIR             folder of the installation (attesta-data, or $ATTESTA_DATA)
  --json                 print the answer as JSON
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		k := keyFlags{}
		f := flags("keys")
		data, asJSON := dataFlag(f, c), f.Bool("json", false, "")
		k.define(f)
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		q, err := k.request(c, f, rest)
		if err != nil {
			return exitUsage, err
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		if q.Do == "list" {
			all, err := o.Keys(ctx)
			if err != nil {
				return exitNo, err
			}
			if *asJSON {
				return worked(nil), printJSON(c, all)
			}
			printKeys(c, all)
			return exitDone, nil
		}
		answer, err := o.ChangeKeys(ctx, q)
		if err != nil {
			return exitNo, err
		}
		if *asJSON {
			return exitDone, printJSON(c, answer)
		}
		if len(answer.Keys) > 0 {
			printKeys(c, answer.Keys)
		}
		for _, line := range answer.Follows {
			c.printf("%s\n", plain(line))
		}
		return exitDone, nil
	},
}

func printKeys(c *console, all []keyAnswer) {
	wide, purpose, legal := len("STATE"), len(keys.Status), len("LEGAL ID")
	for _, k := range all {
		wide, purpose, legal = max(wide, len(k.State)), max(purpose, len(k.Purpose)), max(legal, len(k.LegalID))
	}
	c.printf("%-16s  %-*s  %-13s  %-10s  %-10s  %-*s  %-*s  %s\n", "KEY", purpose, "FOR", "LEVEL", "FROM", "UNTIL", wide, "STATE", legal, "LEGAL ID", "NAME")
	for _, k := range all {
		c.printf("%-16s  %-*s  %-13s  %-10s  %-10s  %-*s  %-*s  %s\n", k.ID, purpose, k.Purpose, k.Level,
			k.From.Format(time.DateOnly), k.Until.Format(time.DateOnly), wide, k.State, legal, plain(cmp.Or(k.LegalID, "-")), plain(k.Name))
	}
}

// keyFlags are the flags of all that attesta keys does.
type keyFlags struct {
	provider, house, purpose, since, password string
	overlap                                   time.Duration
	device                                    keys.Device
}

func (k *keyFlags) define(f *flag.FlagSet) {
	f.StringVar(&k.provider, "provider", "", "")
	f.StringVar(&k.house, "legal-id", "", "")
	f.StringVar(&k.purpose, "for", "", "")
	f.StringVar(&k.since, "since", "", "")
	f.StringVar(&k.password, "password-file", "", "")
	k.overlap = 24 * time.Hour
	f.Func("overlap", "", func(s string) (err error) {
		if k.overlap, err = time.ParseDuration(s); err != nil || k.overlap < 0 {
			return errors.New("write hours or minutes with their unit, such as 48h")
		}
		return nil
	})
	f.StringVar(&k.device.Module, "module", "", "")
	f.StringVar(&k.device.Token, "token", "", "")
	f.StringVar(&k.device.Label, "key", "", "")
}

// keyVerbs says of each thing that attesta keys does how it is called, which
// flags it must have and which it may have beside --data and --json.
var keyVerbs = map[string]struct {
	operand   string
	must, may []string
}{
	"list":   {},
	"rotate": {may: []string{"provider", "legal-id", "for", "overlap"}},
	"import": {operand: "FILE.p12", may: []string{"provider", "legal-id", "for", "password-file"}},
	"attach": {operand: "CHAIN.pem", must: []string{"module", "token", "key"}, may: []string{"provider", "legal-id", "for", "password-file"}},
	"retire": {operand: "KEY"},
	"revoke": {operand: "KEY", must: []string{"since"}},
	"forget": {operand: "KEY"},
}

// request reads what is asked for, with the files that it names.
func (k *keyFlags) request(c *console, f *flag.FlagSet, rest []string) (keyRequest, error) {
	const usage = "attesta keys list | rotate | import FILE.p12 | attach CHAIN.pem | retire KEY | revoke KEY | forget KEY"
	if len(rest) == 0 {
		return keyRequest{}, misuse(usage, "say what to do")
	}
	do, rest := rest[0], rest[1:]
	verb, ok := keyVerbs[do]
	if !ok {
		return keyRequest{}, misuse(usage, "there is no attesta keys %q", do)
	}
	wanted := 0
	if verb.operand != "" {
		wanted = 1
	}
	called := "attesta keys " + strings.TrimSpace(do+" "+verb.operand)
	switch {
	case len(rest) < wanted:
		return keyRequest{}, misuse(called, "attesta keys %s needs to know which %s", do, verb.operand)
	case len(rest) > wanted:
		return keyRequest{}, misuse(called, "%q is one word too many", rest[wanted])
	}
	set := map[string]bool{}
	var odd error
	f.Visit(func(g *flag.Flag) {
		set[g.Name] = true
		if g.Name != "data" && g.Name != "json" && !slices.Contains(verb.must, g.Name) && !slices.Contains(verb.may, g.Name) {
			odd = misuse("", "attesta keys %s has no flag --%s", do, g.Name)
		}
	})
	if odd != nil {
		return keyRequest{}, odd
	}
	for _, name := range verb.must {
		if !set[name] || f.Lookup(name).Value.String() == "" {
			return keyRequest{}, misuse("", "attesta keys %s needs --%s", do, name)
		}
	}
	if slices.Contains(verb.may, "provider") && k.provider == "" && k.house == "" {
		return keyRequest{}, misuse("", "attesta keys %s needs --provider", do)
	}
	q := keyRequest{Do: do, Provider: k.provider, House: k.house, Purpose: keys.Purpose(k.purpose), Overlap: k.overlap, Device: k.device}
	if q.Purpose != "" && q.Purpose != keys.Seal && q.Purpose != keys.Status && q.Purpose != keys.Accreditation && q.Purpose != keys.Receipt {
		return q, misuse("", "--for is %s, %s, %s or %s", keys.Seal, keys.Status, keys.Accreditation, keys.Receipt)
	}
	if (q.Purpose == keys.Receipt) != (q.Provider == receiptOwner) || q.Purpose == keys.Receipt && do != "rotate" {
		return q, misuse("", "the key for receipts is that of the installation, and is rotated only: attesta keys rotate --provider %s --for %s", receiptOwner, keys.Receipt)
	}
	if q.House != "" {
		if q.Purpose == keys.Seal {
			return q, misuse("", "--legal-id is for status lists; a key for seals is one of a provider")
		}
		q.Purpose = keys.Status
	}
	var err error
	switch do {
	case "retire", "revoke", "forget":
		q.Key = rest[0]
	case "import", "attach":
		if q.File, err = readFile(rest[0]); err == nil {
			q.Secret, err = k.secret(c, rest[0])
		}
	}
	if err == nil && do == "revoke" {
		q.Since, _, err = startOf(k.since)
	}
	return q, err
}

// rome is the zone whose days count.
func rome() (*time.Location, error) {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return nil, fmt.Errorf("finding the time zone: %w", err)
	}
	return zone, nil
}

// startOf reads a time, or a day, which means its start in Rome.
func startOf(s string) (at time.Time, day bool, err error) {
	if at, err = time.Parse(time.RFC3339, s); err == nil {
		return at, false, nil
	}
	zone, err := rome()
	if err != nil {
		return at, false, err
	}
	if at, err = time.ParseInLocation(time.DateOnly, s, zone); err != nil {
		return at, false, misuse("write 2026-03-14 or 2026-03-14T10:00:00Z", "%q is no time", s)
	}
	return at, true, nil
}

const maxSecret = 4096

// secret reads a password or a PIN from a file or from standard input. It is
// never an argument, which others on the machine could see.
func (k *keyFlags) secret(c *console, what string) (string, error) {
	from := c.in
	if k.password != "" {
		file, err := os.Open(k.password)
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		defer file.Close()
		from = file
	} else {
		shown := ""
		if file, ok := c.in.(*os.File); ok {
			if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
				shown = " (it shows as you type; --password-file avoids that)"
			}
		}
		fmt.Fprintf(c.err, "password or PIN for %s%s: ", plain(what), shown)
	}
	line, err := bufio.NewReader(io.LimitReader(from, maxSecret)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}
