package main

import (
	"context"
	"time"
)

var keysCommand = command{
	name: "keys", short: "list the keys of an installation",
	help: `usage: attesta keys list [--data DIR] [--json]

Lists every key with its purpose, its owner, what it is worth and how long it
may be used. Private keys are never shown.

  --data DIR   folder of the installation (attesta-data, or $ATTESTA_DATA)
  --json       print the list as JSON
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("keys")
		data, asJSON := dataFlag(f, c), f.Bool("json", false, "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) != 1 || rest[0] != "list" {
			return exitUsage, misuse("attesta keys list", "say what to do: list")
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		all, err := o.Keys(ctx)
		if err != nil {
			return exitNo, err
		}
		if *asJSON {
			return worked(nil), printJSON(c, all)
		}
		c.printf("%-16s  %-6s  %-13s  %-10s  %-10s  %-8s  %s\n", "KEY", "FOR", "LEVEL", "FROM", "UNTIL", "STATE", "NAME")
		for _, k := range all {
			c.printf("%-16s  %-6s  %-13s  %-10s  %-10s  %-8s  %s\n", k.ID, k.Purpose, k.Level,
				k.From.Format(time.DateOnly), k.Until.Format(time.DateOnly), k.State, plain(k.Name))
		}
		return exitDone, nil
	},
}
