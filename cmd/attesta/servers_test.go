package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestServerSettings asks the rules for each web server which file answers for
// an address below /status/: the token list has one of its own, and the list of
// lists is none of them.
func TestServerSettings(t *testing.T) {
	const list = "W4AFJFFOE4A2UTSL3DTEZNZ6TV"
	read := func(name string) string {
		data, err := serverSettings.ReadFile("servers/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	nginx, caddy, apache := read("nginx.conf"), read("Caddyfile"), read("apache")
	servers := map[string]func(path string) string{
		"nginx": func(path string) string { // an exact location before a regular expression
			if strings.Contains(nginx, "location = "+path+" {") {
				return path
			}
			for _, m := range regexp.MustCompile(`(?s)location ~ (\S+) \{([^}]*\}[^}]*)\}`).FindAllStringSubmatch(nginx, -1) {
				here := regexp.MustCompile(m[1])
				if try := regexp.MustCompile(`try_files (\S+) `).FindStringSubmatch(m[2]); here.MatchString(path) && try != nil {
					return here.ReplaceAllString(path, strings.ReplaceAll(try[1], "$1", "${1}"))
				}
			}
			return path
		},
		"Caddy": func(path string) string {
			m := regexp.MustCompile(`@token \{\s+path_regexp list (\S+)\s+not path (\S+)\s+\}`).FindStringSubmatch(caddy)
			to := regexp.MustCompile(`rewrite @token (\S+)`).FindStringSubmatch(caddy)
			if m == nil || to == nil {
				t.Fatal("the Caddyfile has no rule for token lists")
			}
			if here := regexp.MustCompile(m[1]); path != m[2] && here.MatchString(path) {
				return here.ReplaceAllString(path, strings.ReplaceAll(to[1], "{re.list.1}", "${1}"))
			}
			return path
		},
		"Apache": func(path string) string { // the first rule that fits is the last
			for _, m := range regexp.MustCompile(`(?m)^RewriteRule (\S+) (\S+) \[L\]$`).FindAllStringSubmatch(apache, -1) {
				if here := regexp.MustCompile(m[1]); here.MatchString(path[1:]) {
					if m[2] == "-" {
						return path
					}
					return "/" + here.ReplaceAllString(path[1:], strings.ReplaceAll(m[2], "$1", "${1}"))
				}
			}
			return path
		},
	}
	for name, file := range servers {
		for path, want := range map[string]string{
			"/status/" + list:                 "/status/" + list + "/index.jwt",
			"/status/" + list + "/revocation": "/status/" + list + "/revocation",
			"/status/aggregation":             "/status/aggregation",
		} {
			if got := file(path); got != want {
				t.Errorf("%s: %s is answered with %s, want %s", name, path, got, want)
			}
		}
	}
}
