package main

import "context"

var signInCommand = command{
	name: "sign-in", short: "print a one-time link to the console",
	help: `usage: attesta sign-in [--name NAME] [--data DIR]

Prints an address that opens the provider's console once, within 12 hours. Give
it to the person who needs it by a way that only they can read. What they do is
written into the log under the name that you give here, of at most 40 bytes.
Give each person a link and a name of their own: where two people are wanted for
something, two names are two people.

  --name NAME  who will sign in (operator)
  --data DIR   folder of the installation (attesta-data, or $ATTESTA_DATA)
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("sign-in")
		data, name := dataFlag(f, c), f.String("name", "operator", "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) > 0 {
			return exitUsage, misuse("", "%q is one word too many", rest[0])
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		link, err := o.SignIn(ctx, *name)
		if err == nil {
			c.printf("%s\n", link)
		}
		return worked(err), err
	},
}
