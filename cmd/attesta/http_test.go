package main

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, address string) []byte {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d %v", address, response.StatusCode, err)
	}
	return body
}

// reported is what the interface for programs answers about a text, given under a
// name.
func reported(t *testing.T, base, name, text string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]string{name: text})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(base+"/api/v1/verify", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// TestHostileUploads hands the running program what no credential is: too
// much, too little, cut off, of the wrong kind. Each gets an answer of its own
// in the 400s or a page with a verdict, and the program goes on (F7, W9, W16).
func TestHostileUploads(t *testing.T) {
	demo := startDemo(t)
	for _, c := range []struct {
		name   string
		body   func(*multipart.Writer) error
		status int
		says   string
	}{
		{"12 MB of zeros", file("zeros.jsonld", make([]byte, 12<<20)), http.StatusRequestEntityTooLarge, "4 MB"},
		{"an empty file", file("empty.jsonld", nil), http.StatusBadRequest, ""},
		{"a picture", file("x.png", []byte("\x89PNG\r\n\x1a\n\x00\x00")), http.StatusBadRequest, "danneggiata"},
		{"JSON without a seal", file("x.json", []byte(`{"a":1}`)), http.StatusOK, "sigillo"},
		{"a script in the text", text("<script>alert(1)</script>"), http.StatusBadRequest, ""},
		{"a long script in the text", text("{<script>alert(1)</script>" + strings.Repeat("x", 200)), http.StatusOK, "Non valido"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, answer := demo.post(t, c.body)
			if status != c.status || !strings.Contains(answer, c.says) || strings.Contains(answer, "<script") {
				t.Errorf("%d, want %d with %q:\n%.2000s", status, c.status, c.says, answer)
			}
		})
	}
	t.Run("an upload that is cut off", func(t *testing.T) {
		answer := cutOff(t, strings.TrimPrefix(demo.base, "http://"))
		if !strings.Contains(answer, " 400 ") {
			t.Errorf("the answer is %q", answer)
		}
	})
	if body := get(t, demo.base+"/readyz"); !strings.Contains(string(body), "ready") {
		t.Errorf("afterwards /readyz says %q", body)
	}
}

func file(name string, data []byte) func(*multipart.Writer) error {
	return func(w *multipart.Writer) error {
		part, err := w.CreateFormFile("file", name)
		if err == nil {
			_, err = part.Write(data)
		}
		return err
	}
}

func text(s string) func(*multipart.Writer) error {
	return func(w *multipart.Writer) error { return w.WriteField("text", s) }
}

// cutOff promises more bytes than it sends and closes its side.
func cutOff(t *testing.T, host string) string {
	t.Helper()
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /verify HTTP/1.1\r\nHost: "+host+"\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.jsonld\"\r\n\r\n{\"payload\":\"")
	if err != nil {
		t.Fatal(err)
	}
	if half, ok := conn.(*net.TCPConn); ok {
		if err := half.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(conn)
	first, _, _ := strings.Cut(string(answer), "\r\n")
	return first
}

// TestVerifyAddress checks what lies behind an address: the QR's, and that of
// the sealed file. The verdict is made from the bytes, not from the page.
func TestVerifyAddress(t *testing.T) {
	demo := startDemo(t)
	for _, address := range []string{demo.check, demo.holder + "/credential.jsonld"} {
		var out, errors bytes.Buffer
		code := run(t.Context(), &console{out: &out, err: &errors, getenv: func(string) string { return "" }, now: fixedDay},
			[]string{"verify", address, "--data", demo.dir})
		if code != exitDone || !strings.HasPrefix(out.String(), "VALID\n") {
			t.Errorf("attesta verify %s: exit code %d\n%s%s", address, code, out.String(), errors.String())
		}
	}
}

// post sends a form to the page of the employer and returns what it answers.
func (d runningDemo) post(t *testing.T, fill func(*multipart.Writer) error) (status int, answer string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := fill(form); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(d.employer, form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(raw)
}
