package presentation

import (
	"math"
	"slices"
	"strings"
)

// The parameters of Punycode for names of hosts (RFC 3492 section 5).
const (
	punyBase, punyMin, punyMax  = 36, 1, 26
	punySkew, punyDamp          = 38, 700
	punyFirst, punyBias, aceTag = 128, 72, "xn--"
	maxLabel                    = 63
)

// asciiHost writes a name of a host as computers look it up, or "" where it has
// no such form.
func asciiHost(host string) string {
	labels := strings.Split(host, ".")
	for n, label := range labels {
		if isASCII(label) {
			continue
		}
		if labels[n] = aceTag + punyEncode(label); len(labels[n]) > maxLabel {
			return ""
		}
	}
	return strings.Join(labels, ".")
}

// unicodeHost writes a name of a host as people read it. A label that cannot be
// read stays as it is.
func unicodeHost(host string) string {
	labels := strings.Split(host, ".")
	for n, label := range labels {
		if rest, ok := strings.CutPrefix(label, aceTag); ok && len(label) <= maxLabel {
			if said := punyDecode(rest); said != "" && !isASCII(said) && aceTag+punyEncode(said) == label {
				labels[n] = said
			}
		}
	}
	return strings.Join(labels, ".")
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c >= 0x80 })
}

// punyEncode writes a label (RFC 3492 section 6.3).
func punyEncode(label string) string {
	points := []rune(label)
	var out []byte
	for _, c := range points {
		if c < 0x80 {
			out = append(out, byte(c))
		}
	}
	basic := len(out)
	done := basic
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(punyFirst), 0, punyBias
	for done < len(points) && len(out) <= maxLabel {
		next := rune(math.MaxInt32)
		for _, c := range points {
			if c >= n {
				next = min(next, c)
			}
		}
		delta += int(next-n) * (done + 1)
		n = next
		for _, c := range points {
			if c < n {
				delta++
			}
			if c != n {
				continue
			}
			q := delta
			for k := punyBase; ; k += punyBase {
				t := min(max(k-bias, punyMin), punyMax)
				if q < t {
					break
				}
				out = append(out, punyDigit(t+(q-t)%(punyBase-t)))
				q = (q - t) / (punyBase - t)
			}
			out = append(out, punyDigit(q))
			bias = punyAdapt(delta, done+1, done == basic)
			delta = 0
			done++
		}
		delta++
		n++
	}
	return string(out)
}

// punyDecode reads a label of at most 63 characters (RFC 3492 section 6.2), or
// returns "".
func punyDecode(label string) string {
	var points []rune
	rest := label
	if at := strings.LastIndexByte(label, '-'); at >= 0 {
		points, rest = []rune(label[:at]), label[at+1:]
	}
	n, i, bias := punyFirst, 0, punyBias
	for rest != "" {
		old, weight := i, 1
		for k := punyBase; ; k += punyBase {
			if rest == "" {
				return ""
			}
			digit := punyValue(rest[0])
			rest = rest[1:]
			if digit < 0 || digit > (math.MaxInt32-i)/weight {
				return ""
			}
			i += digit * weight
			t := min(max(k-bias, punyMin), punyMax)
			if digit < t {
				break
			}
			if weight > math.MaxInt32/(punyBase-t) {
				return ""
			}
			weight *= punyBase - t
		}
		bias = punyAdapt(i-old, len(points)+1, old == 0)
		n += i / (len(points) + 1)
		i %= len(points) + 1
		if n > 0x10FFFF || n >= 0xD800 && n < 0xE000 {
			return ""
		}
		points = slices.Insert(points, i, rune(n))
		i++
	}
	return string(points)
}

func punyAdapt(delta, points int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / points
	k := 0
	for delta > (punyBase-punyMin)*punyMax/2 {
		delta /= punyBase - punyMin
		k += punyBase
	}
	return k + (punyBase-punyMin+1)*delta/(delta+punySkew)
}

func punyDigit(d int) byte { return "abcdefghijklmnopqrstuvwxyz0123456789"[d] }

func punyValue(c byte) int {
	switch {
	case c >= 'a' && c <= 'z':
		return int(c - 'a')
	case c >= '0' && c <= '9':
		return int(c-'0') + 26
	}
	return -1
}
