package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"attesta/credentials"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
	"attesta/registry/bolt"
)

var doctorCommand = command{
	name: "doctor", short: "say what is wrong with an installation",
	help: `usage: attesta doctor [--data DIR] [--json]

Looks at the data, the keys, the clock, the settings and the trusted lists,
reads the whole registry, every record and every page of its file, lets every
key in use sign once, and says in sentences what is wrong and what to do. Nobody
outside is asked.

  --data DIR   folder of the installation (attesta-data, or $ATTESTA_DATA)
  --json       print the findings as JSON

Exit code: 0 when nothing is wrong (remarks may remain), 1 otherwise.
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("doctor")
		data, asJSON := dataFlag(f, c), f.Bool("json", false, "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) > 0 {
			return exitUsage, misuse("", "%q is one word too many", rest[0])
		}
		found, err := examine(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		code := exitDone
		for _, d := range found {
			if d.Wrong {
				code = exitNo
			}
		}
		if *asJSON {
			return code, printJSON(c, found)
		}
		for _, d := range found {
			c.printf("%s\n", plainLines(d.String()))
		}
		return code, nil
	},
}

// examine asks the installation, or looks at its file when it cannot be opened.
func examine(ctx context.Context, c *console, f folder) ([]diagnosis, error) {
	o, err := reach(ctx, c, f)
	if err == nil {
		defer o.Close()
		return o.Doctor(ctx)
	}
	if there, err2 := f.exists(); err2 != nil || !there || ctx.Err() != nil {
		return nil, err
	}
	closed := diagnosis{true, "The installation cannot be opened: " + err.Error() + ".", "See docs/howto/backup.md, docs/howto/postgres.md for a database, or what the command says that you wanted to run."}
	if advice, ok := errors.AsType[*hinted](err); ok {
		closed.Remedy = strings.ToUpper(advice.hint[:1]) + advice.hint[1:]
	}
	if s, err := f.readSettings(); err == nil && s.Store != "" { // nothing in the folder tells more
		return []diagnosis{closed}, nil
	}
	verified := bolt.Verify(ctx, f.store(), bolt.Options{})
	if errors.Is(verified, registry.ErrInUse) {
		return nil, err
	}
	if verified != nil {
		closed.Remedy = "Restore the newest backup into another folder: attesta restore FILE --data DIR"
		return []diagnosis{closed, damaged(verified)}, nil
	}
	return []diagnosis{closed, {What: "The registry itself was read from end to end, page by page, and is whole."}}, nil
}

func damaged(err error) diagnosis {
	return diagnosis{true, fmt.Sprintf("The registry is damaged: %v.", err), "Stop the server and restore the newest backup into another folder: attesta restore FILE --data DIR. Keep the damaged one for inspection."}
}

// diagnosis is one thing the doctor looked at.
type diagnosis struct {
	Wrong  bool   `json:"wrong"`
	What   string `json:"what"`             // one sentence
	Remedy string `json:"remedy,omitempty"` // what to do
}

func (d diagnosis) String() string {
	mark := "ok     "
	if d.Wrong {
		mark = "WRONG  "
	} else if d.Remedy != "" {
		mark = "remark "
	}
	if d.Remedy == "" {
		return mark + d.What
	}
	return mark + d.What + "\n       → " + d.Remedy
}

// Doctor looks at everything that can be wrong with this installation.
func (l local) Doctor(ctx context.Context) ([]diagnosis, error) {
	var found []diagnosis
	add := func(d ...diagnosis) { found = append(found, d...) }
	add(l.checkStore(ctx)...)
	add(l.checkLog(ctx)...)
	add(l.checkSecrets()...)
	add(l.checkInStep(ctx)...)
	add(l.checkKeys(ctx)...)
	add(l.checkSigning()...)
	add(l.checkProviders(ctx)...)
	add(l.checkHouses(ctx, "")...)
	add(l.checkStamps(ctx)...)
	add(l.checkLists()...)
	add(l.checkHeld()...)
	add(l.checkAddress())
	return found, ctx.Err()
}

// goBack says how to go back to the newest backup.
func (l local) goBack() string {
	if l.store.shared {
		return "Look after the database server first. If the registry itself is damaged, stop the servers and go back to the newest backup of the database: docs/howto/postgres.md"
	}
	return damaged(nil).Remedy
}

func (l local) checkStore(ctx context.Context) []diagnosis {
	var found []diagnosis
	pages := " and every page"
	if l.store.shared {
		pages = ""
	}
	if err := l.registry.Check(ctx); err != nil {
		found = append(found, diagnosis{true, damaged(err).What, l.goBack()})
	} else {
		found = append(found, diagnosis{What: "The registry was read from end to end and is whole, every record" + pages + "."})
	}
	if l.store.shared {
		found = append(found, diagnosis{What: "It is in PostgreSQL, at " + l.store.where + "."})
		for _, advice := range l.store.advice() {
			found = append(found, diagnosis{What: "The database server could be safer.", Remedy: advice})
		}
		if _, err := os.Stat(l.folder.store()); err == nil {
			found = append(found, diagnosis{What: "An older registry lies in the folder and is not used.", Remedy: "Move " + l.folder.store() + " to where backups are kept."})
		}
	}
	counts, err := l.registry.Counts(ctx, "")
	switch {
	case err != nil:
		found = append(found, diagnosis{true, "The counters cannot be read: " + err.Error() + ".", l.goBack()})
	case counts.Reserved > 0:
		found = append(found, diagnosis{true, fmt.Sprintf("%d records are reserved and not sealed.", counts.Reserved), "Start attesta serve, or issue again: it finishes them."})
	default:
		found = append(found, diagnosis{What: fmt.Sprintf("%d credentials: %d suspended, %d revoked, none unfinished.", counts.Sealed, counts.Suspended, counts.Revoked)})
	}
	if behind, ok := errors.AsType[*issuer.ClockError](l.issuer.CheckClock(ctx)); ok {
		found = append(found, diagnosis{true, fmt.Sprintf("The clock says %s, and the registry has an entry of %s: nothing is issued.", behind.Now.UTC().Format(time.RFC3339), behind.Last.UTC().Format(time.RFC3339)), "Set the clock of this machine."})
	}
	return found
}

// clockWords says in both languages that the clock is behind.
func clockWords(err error) error {
	behind, ok := errors.AsType[*issuer.ClockError](err)
	if !ok {
		return err
	}
	now, last := behind.Now.UTC().Format(time.RFC3339), behind.Last.UTC().Format(time.RFC3339)
	return &spoken{err, credentials.Text{
		"it": fmt.Sprintf("L’orologio di questo computer dice %s e il registro contiene già una voce del %s. Non è stato rilasciato altro: correggi l’orologio e ripeti il comando.", now, last),
		"en": fmt.Sprintf("The clock of this machine says %s, and the registry has an entry of %s already. Nothing more was issued: set the clock, then run the command again.", now, last),
	}}
}

// checkSecrets looks for files that others on the machine may read.
func (l local) checkSecrets() []diagnosis {
	var found []diagnosis
	secret := []string{l.folder.store(), l.folder.settings(), l.folder.beside()}
	keyFiles, err := filepath.Glob(filepath.Join(l.folder.keys(), "*"))
	if err == nil {
		secret = append(secret, keyFiles...)
	}
	for _, name := range secret {
		info, err := os.Stat(name)
		if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			found = append(found, diagnosis{true, fmt.Sprintf("Other users of this machine may read %s (mode %04o).", name, info.Mode().Perm()), "Run: chmod 600 " + name})
		}
	}
	if _, err := os.Stat(filepath.Join(string(l.folder), "master.key")); err == nil {
		found = append(found, diagnosis{false, "The master key lies in the data folder, so who copies the folder has the keys.", "Keep it elsewhere and set ATTESTA_MASTER_KEY_FILE."})
	}
	if _, err := os.Stat(l.folder.own()); err != nil && !os.IsNotExist(err) {
		found = append(found, diagnosis{true, "The anchor of this installation cannot be read.", "Check the folder " + l.folder.trust()})
	} else if os.IsNotExist(err) && len(l.ring.All()) > 0 {
		found = append(found, diagnosis{true, "The anchor of this installation is missing, so attesta verify does not know its seals.", "Start attesta serve once: it writes the anchor again."})
	}
	return found
}

func (l local) checkKeys(ctx context.Context) []diagnosis {
	var found []diagnosis
	houses, err := l.houses(ctx)
	if err != nil {
		return nil // checkHouses says so
	}
	older := func(k *keys.Key) bool { // checkHouses says it of these
		return k.Purpose == keys.Status && slices.ContainsFunc(houses, func(h houseUse) bool {
			return h.older() && h.Sealer == k.Owner && h.LegalID == k.LegalID()
		})
	}
	now := l.now()
	selfMade := false
	for _, k := range l.ring.All() {
		if k.MaySign(now) != nil {
			continue
		}
		selfMade = selfMade || k.Purpose == keys.Seal && k.SelfMade
		if until := k.Certificate().NotAfter; k.Retired.IsZero() && until.Before(now.AddDate(0, 0, 60)) && !older(k) {
			found = append(found, diagnosis{false, fmt.Sprintf("The certificate of key %s ends on %s.", k.ID, until.Format(time.DateOnly)), "Before that day: attesta keys rotate, or attesta keys import with the certificate that follows."})
		}
	}
	if selfMade {
		found = append(found, diagnosis{false, "Seals are made with demonstration keys: outside this installation nobody vouches for them.", "For real use, seal with a certificate of a trust service provider."})
	}
	return found
}

// checkSigning lets every key that is in use sign one constant word, so that a
// device that is away is found before issuing fails.
func (l local) checkSigning() []diagnosis {
	var found []diagnosis
	for _, k := range l.ring.All() {
		if k.Purpose == keys.Root || k.MaySign(l.now()) != nil {
			continue
		}
		_, err := k.Sign([]byte("doctor"))
		if err == nil {
			continue
		}
		what, remedy := "nothing is sealed with it", "Put the newest backup of the folder keys back, or: attesta keys rotate"
		if k.Purpose == keys.Status {
			what = "status lists are not signed with it"
		}
		if k.Purpose == keys.Receipt {
			what = "receipts of checks are not signed with it"
		}
		switch {
		case errors.Is(err, keys.ErrPassword):
			remedy = "Do not repeat this, since tokens lock after a few wrong PINs: give the token its former PIN again, or attach another key."
		case k.OnDevice():
			remedy = "See that this program was built with -tags pkcs11, that the device is connected and that its library is in place; or take another key: attesta keys attach, attesta keys import."
		}
		found = append(found, diagnosis{true, fmt.Sprintf("The %s key %s of %s does not sign, so %s: %s.", k.Purpose, k.ID, k.Owner, what, err), remedy})
	}
	return found
}

// lateStamp is after how long a seal without a time stamp is late: a running
// server adds one within a minute or so.
const lateStamp = time.Hour

// checkStamps looks for seals that still have no time stamp. The authority
// itself is not asked.
func (l local) checkStamps(ctx context.Context) []diagnosis {
	authority := l.stamps.current.Load()
	if authority == nil {
		return nil
	}
	late, after := 0, uint64(0)
	for {
		page, err := l.registry.AtLevel(ctx, registry.LevelB, after, registry.MaxLimit)
		if err != nil {
			return []diagnosis{{true, "The seals without a time stamp cannot be counted: " + err.Error() + ".", "Put back the newest backup."}}
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			if r.SealedAt.Before(l.now().Add(-lateStamp)) {
				late++
			}
		}
		after = page[len(page)-1].Seq
	}
	asked := "Time stamps come from " + authority.URL + " (whether it answers is not tried here)"
	if late == 0 {
		return []diagnosis{{What: asked + "; no seal has waited for one longer than an hour."}}
	}
	return []diagnosis{{
		false, fmt.Sprintf("%s; %s older than an hour still without.", asked, count(late, "seal")+map[bool]string{true: " is", false: " are"}[late == 1]),
		"Run: attesta seal upgrade, which says what the authority answers. A running attesta serve tries again every minute.",
	}}
}

// checkLists says which trusted lists are past their next update.
func (l local) checkLists() []diagnosis {
	lists, err := keys.ReadLists(filepath.Join(l.folder.trust(), keys.ListsFile))
	if err != nil {
		return []diagnosis{{true, "The trusted lists cannot be used: " + err.Error() + ".", "Run: attesta trust remove eu-trusted-lists, then attesta trust import"}}
	}
	var late []string
	for _, list := range lists.Lists {
		if !list.NextUpdate.IsZero() && l.now().After(list.NextUpdate) {
			late = append(late, fmt.Sprintf("%s (due on %s)", list.Territory, list.NextUpdate.Format(time.DateOnly)))
		}
	}
	if len(late) == 0 {
		return nil
	}
	return []diagnosis{{
		false, "Trusted lists are past their next update, so seals made since are not called qualified: " + strings.Join(late, ", ") + ".",
		"Run attesta trust import, every day or every week.",
	}}
}

func (l local) checkProviders(ctx context.Context) []diagnosis {
	providers, err := l.providers(ctx)
	if err != nil {
		return []diagnosis{{true, "The providers cannot be read: " + err.Error() + ".", "Import them again."}}
	}
	if len(providers) == 0 {
		return []diagnosis{{false, "There is no provider yet, so nothing can be issued.", "Run: attesta import --provider FILE --catalogue FILE"}}
	}
	today := credentials.Date(l.now().In(l.zone).Format(time.DateOnly))
	var found []diagnosis
	for _, p := range providers {
		if p.Accreditation != nil && !p.Accreditation.On(today) {
			found = append(found, diagnosis{false, fmt.Sprintf("The accreditation of %s ended on %s: it cannot issue.", p.ID, p.Accreditation.ValidUntil), "Import the provider again when it is renewed."})
		}
		if m := p.Mandate; m != nil && !m.On(today) {
			found = append(found, diagnosis{false, fmt.Sprintf("The mandate to seal for %s holds from %s to %s: it cannot issue.", p.ID, m.From, m.Until), "Import the provider again when the mandate is renewed."})
		}
		if err := l.issuer.CheckSealer(ctx, p); err != nil {
			found = append(found, diagnosis{true, fmt.Sprintf("Nothing is issued for %s: %v.", p.ID, err), "Do that, or mend its entry and import it again."})
		}
		found = append(found, l.checkOwner(p.Sealer())...)
	}
	return found
}

func (l local) checkAddress() diagnosis {
	switch address := l.settings.PublicURL; {
	case strings.HasPrefix(address, "https://"):
		return diagnosis{What: "Credentials name " + address + " as the place of their status."}
	case l.settings.Demonstration:
		return diagnosis{What: "This is a demonstration; its credentials name " + address + "."}
	default:
		return diagnosis{false, "Credentials name " + address + ", which others cannot reach safely.", "Begin with --public-url https://... before issuing for real."}
	}
}
