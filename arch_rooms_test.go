package attesta_test

// rooms says for every package which of ours it may import, and which more its
// tests may. A package without a line fails, and a line without a package.
var rooms = map[string]struct{ imports, tests string }{
	"status":      {"", ""},
	"credentials": {"status", "keys"},
	"keys":        {"", "credentials"},
	"brief":       {"credentials status", "keys"},
	"display":     {"credentials", ""},
	"intake":      {"credentials registry", ""},
	"auditlog":    {"", ""},
	"backup":      {"", ""},

	"receipt":             {"", "receipt/receipttest"}, // what was checked, on paper: web imports it
	"receipt/receipttest": {"", ""},

	"registry":              {"auditlog status", "registry/bolt registry/registrytest"},
	"registry/bolt":         {"auditlog registry status", "registry/registrytest"},
	"registry/registrytest": {"auditlog registry status", "registry/bolt"},
	"registry/postgres":     {"auditlog registry status", "registry/bolt registry/postgres/postgrestest registry/registrytest"},

	"registry/postgres/postgrestest": {"", ""},

	"timestamp":               {"", "timestamp/timestamptest"},
	"timestamp/timestamptest": {"timestamp", ""},

	"trustlist":               {"", "trustlist/trustlisttest"},
	"trustlist/trustlisttest": {"", ""},

	"accreditation": {"credentials keys", ""},

	"issuer":             {"accreditation brief credentials intake keys registry status timestamp", "display registry/bolt timestamp/timestamptest verifier"},
	"verifier/wordstest": {"", ""},
	"verifier":           {"accreditation brief credentials keys status timestamp", "timestamp/timestamptest verifier/wordstest"}, // never registry, never issuer: it judges as a stranger would
	"wallet":             {"credentials registry", "registry/bolt status"},

	"presentation": {"brief verifier", "verifier/wordstest"},

	"web":         {"brief credentials display intake issuer keys presentation receipt registry status verifier wallet", "receipt/receipttest registry/bolt verifier/wordstest"},
	"cmd/attesta": {"accreditation auditlog backup brief credentials display intake issuer keys presentation receipt registry registry/bolt registry/postgres status timestamp trustlist verifier wallet web web/offline", "interop/dss receipt/receipttest registry/postgres/postgrestest timestamp/timestamptest trustlist/trustlisttest"},

	"web/offline":      {"", ""},                                             // what go generate builds; the programs that hand it out import it
	"cmd/attesta-wasm": {"accreditation keys presentation verifier web", ""}, // the verifier, with the words of the pages

	"interop/dss": {"", "credentials keys timestamp timestamp/timestamptest verifier"}, // tests only: another's judgement of our seals
}

// libraries says in which rooms a module of others may stand; "tests" are any tests and testHelp.
var libraries = map[string]string{
	"codeberg.org/go-pdf/fpdf":                   "receipt",
	"filippo.io/age":                             "keys cmd/attesta", // there in tests only
	"github.com/consensys/gnark-crypto":          "credentials",
	"github.com/fxamacker/cbor/v2":               "brief",
	"github.com/digitorus/timestamp":             "timestamp timestamp/timestamptest",
	"github.com/beevik/etree":                    "trustlist trustlist/trustlisttest",
	"github.com/go-chi/chi/v5":                   "web cmd/attesta",
	"github.com/go-chi/httprate":                 "web",
	"github.com/veraison/go-cose":                "brief",
	jwx:                                          "credentials keys",
	"github.com/russellhaering/goxmldsig":        "trustlist trustlist/trustlisttest",
	"github.com/skip2/go-qrcode":                 "web cmd/attesta brief", // in the latter two in tests only
	"github.com/smallstep/pkcs7":                 "tests",
	"go.etcd.io/bbolt":                           "registry/bolt",
	"golang.org/x/crypto/ocsp":                   "keys",
	"github.com/makiuchi-d/gozxing":              "presentation",
	"golang.org/x/image":                         "display presentation receipt",
	"golang.org/x/mod/sumdb":                     "auditlog",
	"golang.org/x/text":                          "display intake receipt registry web",
	"software.sslmate.com/src/go-pkcs12":         "keys cmd/attesta", // there in tests only
	"github.com/ThalesGroup/crypto11":            "keys",             // under the build tag pkcs11
	"github.com/miekg/pkcs11":                    "keys",             // as above: the names of its errors
	"github.com/chromedp/cdproto":                "tests",
	"github.com/chromedp/chromedp":               "tests",
	"github.com/google/go-cmp":                   "tests",
	"github.com/klauspost/compress":              "registry web",
	"github.com/jackc/pgx/v5":                    "registry/postgres",
	"github.com/jba/templatecheck":               "tests",
	"github.com/rogpeppe/go-internal/testscript": "tests",
}

const jwx = "github.com/lestrrat-go/jwx/v2"
