package verifier

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// global is the one part of IPv6 from which public addresses are given out.
const global = "2000::/3"

// notPublic are the prefixes of the IANA special-purpose registries that no
// outside address may lead to; those of IPv6 lie in the global part. The methods
// of net/netip know only some.
var notPublic = [...]string{
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
}

// refusePrivate looks at the address that is really dialled, after names were
// resolved, so that no name can lead inside.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrRefused, address)
	}
	if !Public(at.Addr()) {
		return fmt.Errorf("%w: it leads to a place that is not public", ErrRefused)
	}
	return nil
}

// Public tells whether an address may be asked on behalf of a stranger.
func Public(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	if !a.IsValid() || a.Is6() && !within(a, global) {
		return false
	}
	for _, prefix := range notPublic {
		if within(a, prefix) {
			return false
		}
	}
	return true
}

// within takes a prefix that cannot be read for one that holds every address.
func within(a netip.Addr, text string) bool {
	prefix, err := netip.ParsePrefix(text)
	return err != nil || prefix.Contains(a)
}

// inwards are the ends of names of places that are not public (RFC 6761, RFC
// 6762, RFC 7686, RFC 8375, RFC 9476), and those that are used so all the same.
var inwards = [...]string{"localhost", "local", "internal", "home.arpa", "onion", "alt", "test", "invalid", "intranet", "lan", "corp", "home"}

// outsideName tells whether a host can be one of the public network, before
// anybody is asked for its address. Names of one part would be sought in the
// domain of this machine; what ends in a number and is no address is one in a
// form that only some readers understand (127.1, 0x7f.1, 2130706433). A name in
// other letters than those of RFC 3986 has a form in them (xn--…).
func outsideName(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true // the address that is dialled is looked at
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	foreign := func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_.", r) }
	last := name[strings.LastIndexByte(name, '.')+1:]
	if strings.ContainsFunc(name, foreign) || last == name || last == "" || last[0] >= '0' && last[0] <= '9' {
		return false
	}
	return !slices.ContainsFunc(inwards[:], func(end string) bool { return strings.HasSuffix(name, "."+end) })
}
