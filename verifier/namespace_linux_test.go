package verifier

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// insideNamespace is set in the process that runs in a network of its own.
const insideNamespace = "ATTESTA_TEST_NAMESPACE"

// inNamespace runs the test again in a network namespace in which every address
// there is belongs to this process, and tells whether this is that run.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideNamespace) != "" {
		return true
	}
	command := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	command.Env = append(os.Environ(), insideNamespace+"=1", "GODEBUG=netdns=go")
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		command.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := command.CombinedOutput()
	if command.Process == nil {
		if os.Getenv("ATTESTA_REQUIRE_ALL") == "1" {
			t.Fatalf("this test needs a network namespace, and ATTESTA_REQUIRE_ALL=1 forbids to skip it: %v", err)
		}
		t.Skipf("skipped: this test needs a network namespace, which this machine does not give: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "figures: ") {
		t.Fatalf("in the namespace: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if _, figures, ok := strings.Cut(line, "figures: "); ok {
			t.Log("figures: " + strings.TrimSpace(figures))
		}
	}
	return false
}

// network is the whole Internet, in one process: whatever is dialled on one of
// its ports arrives here. Of some addresses it is said that they are public;
// all the others are canaries.
type network struct {
	t      *testing.T
	public []netip.Addr
	only4  bool // there is no IPv6

	mu     sync.Mutex
	inside map[string]int // connections by address, to canaries
	asked  int            // questions to the DNS
	turn   int

	redirects atomic.Int64
}

var canaryPorts = []string{"22", "25", "80", "443", "2375", "6379", "8080", "8443", "9200"}

func newNetwork(t *testing.T, public ...string) *network {
	t.Helper()
	n := &network{t: t, inside: map[string]int{}}
	for _, text := range public {
		n.public = append(n.public, netip.MustParseAddr(text))
	}
	// lo goes up, and every address of both families is local to it.
	up := make([]byte, 16)
	binary.NativeEndian.PutUint32(up[4:], 1)
	binary.NativeEndian.PutUint32(up[8:], syscall.IFF_UP)
	binary.NativeEndian.PutUint32(up[12:], syscall.IFF_UP)
	if err := netlink(syscall.RTM_NEWLINK, 0, up); err != nil {
		t.Fatalf("bringing lo up: %v", err)
	}
	for _, family := range []byte{syscall.AF_INET, syscall.AF_INET6} {
		route := make([]byte, 20)
		route[0], route[4], route[5] = family, syscall.RT_TABLE_LOCAL, syscall.RTPROT_BOOT
		route[6], route[7] = syscall.RT_SCOPE_HOST, syscall.RTN_LOCAL
		binary.NativeEndian.PutUint16(route[12:], 8)
		binary.NativeEndian.PutUint16(route[14:], syscall.RTA_OIF)
		binary.NativeEndian.PutUint32(route[16:], 1)
		err := netlink(syscall.RTM_NEWROUTE, syscall.NLM_F_CREATE|syscall.NLM_F_REPLACE, route)
		if n.only4 = err != nil && family == syscall.AF_INET6; n.only4 {
			t.Logf("this machine has no IPv6: %v", err)
		} else if err != nil {
			t.Fatalf("making all addresses local: %v", err)
		}
	}
	n.serve()
	n.names()
	return n
}

// netlink makes one request of the kernel and waits for its answer.
func netlink(kind, flags uint16, body []byte) error {
	socket, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	message := make([]byte, 16, 16+len(body))
	binary.NativeEndian.PutUint32(message, uint32(16+len(body)))
	binary.NativeEndian.PutUint16(message[4:], kind)
	binary.NativeEndian.PutUint16(message[6:], syscall.NLM_F_REQUEST|syscall.NLM_F_ACK|flags)
	if err := syscall.Sendto(socket, append(message, body...), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	length, _, err := syscall.Recvfrom(socket, answer, 0)
	if err != nil {
		return err
	}
	if length < 20 || binary.NativeEndian.Uint16(answer[4:]) != syscall.NLMSG_ERROR {
		return io.ErrUnexpectedEOF
	}
	if code := int32(binary.NativeEndian.Uint32(answer[16:])); code != 0 {
		return syscall.Errno(-code)
	}
	return nil
}

// serve listens on all addresses. What is public redirects to where its path
// says; what is not only counts.
func (n *network) serve() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to, err := url.QueryUnescape(r.URL.RawQuery); err == nil && to != "" {
			n.redirects.Add(1)
			w.Header()["Location"] = []string{to}
			w.WriteHeader(http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ErrorLog: log.New(io.Discard, "", 0), TLSConfig: n.certificate()}
	n.t.Cleanup(func() { server.Close() })
	var config net.ListenConfig
	for _, port := range canaryPorts {
		l, err := config.Listen(n.t.Context(), "tcp", ":"+port)
		if err != nil {
			n.t.Fatal(err)
		}
		counting := &counting{l, n}
		if port == "80" {
			go server.Serve(counting)
		} else {
			go server.ServeTLS(counting, "", "")
		}
	}
}

// counting is a listener that counts, and hangs up on who came inside.
type counting struct {
	net.Listener
	n *network
}

func (c *counting) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		at, err := netip.ParseAddrPort(conn.LocalAddr().String())
		if err == nil && slices.Contains(c.n.public, at.Addr().Unmap()) {
			return conn, nil
		}
		c.n.mu.Lock()
		c.n.inside[conn.LocalAddr().String()]++
		c.n.mu.Unlock()
		conn.Close()
	}
}

// hits is how many connections were made to canaries.
func (n *network) hits() int {
	count := func() (all int) {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, count := range n.inside {
			all += count
		}
		return all
	}
	// A connection is there before it is accepted, and counted after that.
	for was := -1; ; {
		now := count()
		if now == was {
			return now
		}
		was = now
		time.Sleep(100 * time.Millisecond)
	}
}

// certificate makes the servers ones that this process takes for the right ones.
func (n *network) certificate() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		n.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "canary"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"*.canary.example", "public.canary.example"},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		n.t.Fatal(err)
	}
	name := filepath.Join(n.t.TempDir(), "roots.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.t.Setenv("SSL_CERT_FILE", name)
	n.t.Setenv("SSL_CERT_DIR", n.t.TempDir())
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// names answers for the DNS at every address that this machine might ask.
func (n *network) names() {
	at := []string{"127.0.0.1"}
	if text, err := os.ReadFile("/etc/resolv.conf"); err == nil {
		for line := range strings.Lines(string(text)) {
			if words := strings.Fields(line); len(words) > 1 && words[0] == "nameserver" {
				at = append(at, words[1])
			}
		}
	}
	slices.Sort(at)
	var config net.ListenConfig
	for _, address := range slices.Compact(at) {
		conn, err := config.ListenPacket(n.t.Context(), "udp", net.JoinHostPort(address, "53"))
		if err != nil {
			n.t.Fatalf("answering for the DNS: %v", err)
		}
		n.t.Cleanup(func() { conn.Close() })
		go func() {
			question := make([]byte, 1500)
			for {
				length, from, err := conn.ReadFrom(question)
				if err != nil {
					return
				}
				if answer := n.answer(question[:length]); answer != nil {
					_, _ = conn.WriteTo(answer, from)
				}
			}
		}()
	}
}

// answer writes the answer to a question of the DNS (RFC 1035 clause 4).
func (n *network) answer(question []byte) []byte {
	if len(question) < 17 {
		return nil
	}
	var labels []string
	end := 12
	for end < len(question) && question[end] > 0 {
		length := int(question[end])
		if end+1+length >= len(question) {
			return nil
		}
		labels = append(labels, string(question[end+1:end+1+length]))
		end += 1 + length
	}
	end += 5
	if end > len(question) {
		return nil
	}
	kind := binary.BigEndian.Uint16(question[end-4:])
	answer := append([]byte(nil), question[:end]...)
	answer[2], answer[3] = 0x81, 0x80
	copy(answer[6:], []byte{0, 0, 0, 0, 0, 0})
	count := uint16(0)
	for _, record := range n.records(strings.ToLower(strings.Join(labels, "."))) {
		data, of := record.cname, uint16(5)
		if record.cname == nil {
			data, of = record.addr.AsSlice(), 1
			if record.addr.Is6() {
				of = 28
			}
		}
		if of != kind && of != 5 {
			continue
		}
		answer = append(answer, 0xc0, 12)
		answer = binary.BigEndian.AppendUint16(answer, of)
		answer = append(answer, 0, 1, 0, 0, 0, 0)
		answer = binary.BigEndian.AppendUint16(answer, uint16(len(data)))
		answer = append(answer, data...)
		count++
	}
	binary.BigEndian.PutUint16(answer[6:], count)
	return answer
}

type record struct {
	addr  netip.Addr
	cname []byte
}

// records are what the DNS says of a name: of one that spells an address, that
// address; of some, two answers in turn or at once; of all others, that they are
// at home.
func (n *network) records(name string) []record {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	of := func(all ...string) (found []record) {
		for _, text := range all {
			found = append(found, record{addr: netip.MustParseAddr(text)})
		}
		return found
	}
	first, _, _ := strings.Cut(name, ".")
	if hex, ok := strings.CutPrefix(first, "ip-"); ok {
		if a, err := netip.ParseAddr(strings.ReplaceAll(strings.ReplaceAll(hex, "-", ":"), "_", ".")); err == nil {
			return []record{{addr: a}}
		}
	}
	switch first {
	case "public":
		return of(n.public[0].String())
	case "flip":
		if n.turn++; n.turn%2 == 0 {
			return of("10.0.0.1", "::1")
		}
		return of(n.public[0].String())
	case "both":
		return of(n.public[0].String(), "127.0.0.1", "::1")
	case "alias":
		return append([]record{{cname: []byte("\x06ip-127\x00")}}, of("127.0.0.1", "::1")...)
	}
	return of("127.0.0.1", "::1")
}

// dialled opens a connection without any guard.
func dialled(ctx context.Context, address string) error {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil {
		conn.Close()
	}
	return err
}
