package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"attesta/credentials"
	"attesta/registry"
	"attesta/status"
)

var statusCommand = command{
	name: "status", short: "suspend, reinstate or revoke a credential",
	help: `usage: attesta status revoke|suspend|reinstate [--data DIR] ID --reason CODE

Changes whether a credential counts. Whoever checks it sees the change through
the signed status list, at once on this installation's own pages. Revoking is
final; suspending can be lifted with reinstate.

ID is the credential's number (SN-11-6C0F6C0E), its id (urn:credential:...), its
QR address, or the sealed file itself.

  --reason CODE   one of: ` + strings.Join(registry.Reasons(), ", ") + `
  --data DIR      folder of the installation (attesta-data, or $ATTESTA_DATA)
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("status")
		data, reason := dataFlag(f, c), f.String("reason", "", "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		to, ok := "", false
		if len(rest) > 0 {
			to, ok = map[string]string{
				"revoke": status.Revoked.String(), "suspend": status.Suspended.String(), "reinstate": status.Valid.String(),
			}[rest[0]]
		}
		switch {
		case !ok:
			return exitUsage, misuse("for example: attesta status revoke ID --reason issued-in-error", "say what to do: revoke, suspend or reinstate")
		case len(rest) != 2:
			return exitUsage, misuse("for example: attesta status revoke ID --reason issued-in-error", "name one credential")
		case !slices.Contains(registry.Reasons(), *reason):
			return exitUsage, misuse("one of: "+strings.Join(registry.Reasons(), ", "), "--reason %q is not a reason code", *reason)
		}
		id, err := idOf(rest[1])
		if err != nil {
			return exitUsage, err
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		answer, err := o.SetStatus(ctx, statusRequest{ID: id, To: to, Reason: *reason})
		if errors.Is(err, registry.ErrNotFound) {
			return exitNo, &hinted{err, "the installation in " + *data + " does not know it: give its number, its id, its QR address or the sealed file"}
		}
		if errors.Is(err, registry.ErrConflict) {
			return exitNo, &hinted{err, "a revocation is final; only a suspended credential can be reinstated"}
		}
		if err != nil {
			return exitNo, err
		}
		c.printf("%s is now %s (%s)\n", answer.Number, answer.Status, answer.Reason)
		return exitDone, nil
	},
}

// idOf reads the id of a credential from what a person types: the id, a QR
// address or its last part, or the name of a sealed file.
func idOf(what string) (string, error) {
	if strings.HasPrefix(what, "urn:credential:") {
		return what, nil
	}
	if at := strings.LastIndex(what, "/v/"); at >= 0 && strings.HasPrefix(what, "http") {
		return what[at+len("/v/"):], nil
	}
	if _, err := os.Stat(what); err != nil {
		return what, nil // a handle or a number
	}
	file, err := readFile(what)
	if err != nil {
		return "", err
	}
	parsed, err := credentials.Parse(file.Data)
	if err != nil {
		return "", misuse("name the sealed file, or the id of the credential", "%s is not a sealed credential: %s", what, err)
	}
	if err := parsed.Envelope.Verify(); err != nil {
		return "", fmt.Errorf("reading the id from %s: %w", what, err)
	}
	return parsed.View().ID, nil
}
