package main

import (
	"fmt"
	"strconv"
	"time"

	"attesta/keys"
)

// listRow is one trusted list as a person reads it.
type listRow struct {
	keys.List
	Seals int    `json:"seals"` // certificates of services that are granted now, for seals
	Time  int    `json:"time"`  // and for time
	State string `json:"state"`
}

// rowsOf says of every list what is known of it now.
func rowsOf(l keys.Lists, now time.Time) []listRow {
	rows := []listRow{}
	for _, list := range l.Lists {
		var anchors []keys.Anchor
		for _, a := range l.Anchors {
			if a.List.Territory == list.Territory {
				anchors = append(anchors, a)
			}
		}
		rows = append(rows, rowOf(list, anchors, now))
	}
	return rows
}

func rowOf(list keys.List, anchors []keys.Anchor, now time.Time) listRow {
	row := listRow{List: list, State: "good"}
	for _, a := range anchors {
		if !a.Holds(now) {
			continue
		}
		if joinUses(a.For) == string(keys.ForTime) {
			row.Time++
		} else {
			row.Seals++
		}
	}
	switch {
	case now.After(list.Fades()):
		row.State = "FADED: says nothing of seals made after " + list.Fades().Format(time.DateOnly)
	case list.NextUpdate.IsZero():
		row.State = "closed"
	case now.After(list.Speaks()):
		row.State = "STALE: seals made after " + list.Speaks().Format(time.DateOnly) + " are not called qualified"
	}
	if list.Unusable > 0 {
		row.State += fmt.Sprintf("; %s cannot be used", count(list.Unusable, "service"))
	}
	return row
}

const listFormat = "%-4s  %8s  %-10s  %-10s  %5s  %5s  %s\n"

func printListHead(c *console) {
	c.printf(listFormat, "LIST", "NUMBER", "ISSUED", "NEXT", "SEALS", "TIME", "STATE")
}

func printListRow(c *console, r listRow) {
	number, issued, seals, stamps := "-", "-", "-", "-"
	if r.Sequence > 0 {
		number, issued = strconv.Itoa(r.Sequence), r.Issued.Format(time.DateOnly)
		if r.Territory != europe {
			seals, stamps = strconv.Itoa(r.Seals), strconv.Itoa(r.Time)
		}
	}
	next := "-"
	if !r.NextUpdate.IsZero() {
		next = r.NextUpdate.Format(time.DateOnly)
	}
	c.printf(listFormat, plain(r.Territory), number, issued, next, seals, stamps, plain(r.State))
}

// printUseless names services that cannot be used.
func printUseless(c *console, services []string) {
	const most = 5
	for _, s := range services[:min(most, len(services))] {
		c.printf("      none of its certificates can be read: %s\n", plain(s))
	}
	if others := len(services) - most; others > 0 {
		c.printf("      and %s more\n", count(others, "service"))
	}
}
