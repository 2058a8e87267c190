package main

import (
	"strings"
	"testing"
	"time"

	"attesta/web/offline"

	"github.com/chromedp/chromedp"
)

// TestLanguagesInBrowser: an employer with an Italian browser chooses German, or
// French, on the page behind a QR and keeps it through the check; on a phone no
// word is so long that a page has to be moved sideways (WCAG 2.2, 1.4.10).
func TestLanguagesInBrowser(t *testing.T) {
	demo := startDemo(t)
	b := newBrowser(t)
	file := demo.download(t)
	for _, c := range []struct{ lang, name, valid, form, not, cannot, elsewhere string }{
		{"de", "Deutsch", "Gültig", "Nachweis prüfen", "Nicht gültig", "verändert oder gefälscht", "führt nicht zu unserer Seite"},
		{"fr", "Français", "Valide", "Vérifier une attestation", "Non valide", "modifiée ou fausse", "ne mène pas à une de nos pages"},
	} {
		b.open(demo.check)
		b.says("h1", "Valido")
		b.press(`.tongues a[hreflang="` + c.lang + `"]`)
		b.says("h1", c.valid)
		b.fits(c.lang+" check page", "lang-"+c.lang+"-valid")
		b.press(`.top nav a[href^="/verify"]`)
		b.says("h1", c.form)
		b.fits(c.lang+" verify page", "lang-"+c.lang+"-verify")
		b.upload("#file", tampered(t, file), "main form button")
		b.says("h1", c.not, c.cannot)
		b.says(".tongues [aria-current]", c.name)
		b.fits(c.lang+" changed file", "lang-"+c.lang+"-changed")
		b.open(demo.base + "/verify?lang=" + c.lang)
		b.typeIn("#text", "https://verifica-attesta.example/v/AAAAAAAAAAAAAAAAAAAAAAAAAA", "main form button")
		b.says("h1", c.elsewhere)
		b.fits(c.lang+" elsewhere", "lang-"+c.lang+"-elsewhere")
		b.open(demo.base + "/verify?lang=" + c.lang)
		b.do(chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{file, tampered(t, file)}))
		b.press("form button")
		b.says("main", c.valid, c.not)
		b.fits(c.lang+" table", "lang-"+c.lang+"-table")
		b.open(demo.base + "/?lang=" + c.lang)
		b.fits(c.lang+" start page", "lang-"+c.lang+"-start")
	}
	if err := demo.revoke(t, file); err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]string{"de": "widerrufen am", "fr": "révoquée le"} {
		b.open(demo.check + "?lang=" + lang)
		b.says("h1", want)
		b.fits(lang+" revoked page", "lang-"+lang+"-revoked")
	}
	b.asksOnly(demo.base)
}

// TestCopyLanguagesInBrowser: the page of a copy answers in the language that
// somebody chose on it, from the verifier in the browser.
func TestCopyLanguagesInBrowser(t *testing.T) {
	if _, err := offline.Files(); err != nil {
		required(t, "the verifier for browsers: go generate ./web/offline")
	}
	s := survive(t)
	s.serve(t, false)
	b := newBrowser(t)
	b.at(fixedDay().Add(time.Hour))
	for _, c := range []struct{ lang, valid, made, revoked string }{
		{"de", "Gültig", "aus einer Kopie vom 21. November 2026", "widerrufen"},
		{"fr", "Valide", "une copie faite le 21 novembre 2026", "révoquée"},
	} {
		b.open(s.origin + "/")
		b.press(`.tongues a[hreflang="` + c.lang + `"]`)
		b.drop(s.valid)
		b.comes("#answer h1", c.valid)
		b.comes("#answer", c.made)
		b.fits(c.lang+" copy", "lang-"+c.lang+"-copy")
		b.drop(s.revoked)
		b.comes("#answer h1", c.revoked)
	}
	b.open(s.origin + "/v/")
	b.says("main", "file originale", "original file", "Originaldatei", "fichier original")
	b.fits("copy behind a QR", "lang-copy-qr")
	b.asksOnly(s.origin)
}

// fits holds the page to the width of a phone, and of a small one.
func (b *browser) fits(name, picture string) {
	b.t.Helper()
	for _, width := range []int64{320, 390} {
		b.do(chromedp.EmulateViewport(width, 844))
		wide := b.evaluate(`[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest("thead, .skip")).map((e) => e.tagName + " " + e.className + " " + e.textContent.slice(0, 40)).slice(0, 3).join(" | ")`)
		if wide = strings.TrimSpace(wide); wide != "" {
			b.t.Errorf("%s at %d: wider than the page: %s", name, width, wide)
		}
	}
	b.shot(picture, 390)
	b.do(chromedp.EmulateViewport(420, 900))
}
