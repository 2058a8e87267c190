package main

import (
	"context"
	"runtime/debug"
)

var versionCommand = command{
	name: "version", short: "print the version",
	help: "usage: attesta version\n\nPrints the version of the program and of Go.\n",
	run: func(_ context.Context, c *console, args []string) (int, error) {
		if _, err := parse(flags("version"), args); err != nil {
			return exitUsage, err
		}
		version, revision, built := "devel", "", ""
		if info, ok := debug.ReadBuildInfo(); ok {
			if info.Main.Version != "" && info.Main.Version != "(devel)" {
				version = info.Main.Version
			}
			built = info.GoVersion
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					revision = " " + s.Value
				}
			}
		}
		c.printf("attesta %s%s (%s)\n", version, revision, built)
		return exitDone, nil
	},
}
