package presentation

// Advice that several problems share.
const (
	askFr = "Demandez à la personne le fichier original de l’attestation ou le lien sous le code QR."
	pdfFr = "S’il y a un code QR sur la page, faites-en une photo ou une capture d’écran et envoyez-la. Ou demandez à la personne le fichier original."
	zipFr = "Ouvrez l’archive sur votre ordinateur et envoyez les fichiers un par un ou en groupes."
)

// french says every problem: what was found and what to do.
var french = map[string][2]string{
	"empty":           {"Il n’y a rien à lire.", askFr},
	"large":           {"Le fichier est trop grand : une attestation numérique ne dépasse pas 4 Mo.", askFr},
	"late":            {"Le temps a manqué pour le lire : il y avait trop de fichiers à la fois.", "Recommencez avec moins de fichiers."},
	"many":            {"À partir d’ici, il y a encore des choses à vérifier, qui n’ont pas été lues.", "Recommencez avec moins de fichiers."},
	"handle_unknown":  {"Le code ne correspond à aucune attestation délivrée ici.", "Scannez de nouveau le code QR, ou demandez à la personne le fichier original."},
	"handle_erased":   {"L’attestation a été effacée avec les données de la personne.", "Qui en a encore le fichier peut le présenter."},
	"office":          {"C’est un document de bureau (Word, Excel ou autre), qui ne porte pas d’attestation scellée.", askFr},
	"zip_damaged":     {"L’archive ZIP est endommagée.", "Refaites-la, ou envoyez les fichiers sans archive."},
	"zip_empty":       {"L’archive ZIP est vide.", askFr},
	"zip_encrypted":   {"Le fichier dans l’archive ZIP est protégé par un mot de passe.", zipFr},
	"zip_entries":     {"L’archive ZIP a plus de 1000 fichiers.", "Divisez-la en archives plus petites."},
	"zip_large":       {"L’archive ZIP contient plus que ce que nous lisons à la fois.", "Divisez-la en archives plus petites, d’au plus 50 Mo de contenu."},
	"zip_method":      {"Le fichier dans l’archive ZIP est compressé d’une façon que nous ne lisons pas.", zipFr},
	"zip_nested":      {"C’est une archive dans une archive, et nous ne l’ouvrons pas.", zipFr},
	"picture_damaged": {"L’image est endommagée et illisible.", "Refaites la photo ou la capture d’écran."},
	"picture_kind":    {"L’image est d’un type que nous ne lisons pas.", "Enregistrez-la en JPEG ou PNG, ou faites-en une capture d’écran."},
	"picture_large":   {"L’image est trop grande : nous lisons jusqu’à 8 Mo et 40 millions de points.", "Découpez le code QR ou faites-en une capture d’écran."},
	"png_animated":    {"L’image bouge : le code QR que vous voyez n’est peut-être pas celui que nous lirions.", "Faites-en une capture d’écran et envoyez-la."},
	"png_damaged":     {"L’image PNG est endommagée ou a été modifiée.", askFr},
	"png_trailing":    {"Il y a quelque chose après la fin de l’image PNG.", askFr},
	"qr_none": {
		"Nous n’avons trouvé dans l’image aucun code QR lisible.",
		"Refaites la photo de près, bien droite et avec une bonne lumière, ou écrivez le code qui se trouve sous le code QR.",
	},
	"badge_form":    {"L’image dit contenir une attestation, mais pas sous la forme prévue.", askFr},
	"badge_large":   {"L’attestation dans l’image est trop grande.", askFr},
	"badge_several": {"Il y a plusieurs attestations dans l’image : des programmes différents en montreraient de différentes.", askFr},
	"svg_damaged":   {"L’image SVG est endommagée.", askFr},
	"svg_doctype":   {"L’image SVG déclare un type de document, et par sécurité nous ne la lisons pas.", askFr},
	"svg_none":      {"L’image SVG ne contient pas d’attestation.", "S’il y a un code QR dans l’image, faites-en une capture d’écran et envoyez-la."},
	"pdf_damaged":   {"Le PDF est endommagé ou ne suit pas les règles du format.", askFr},
	"pdf_encrypted": {"Le PDF est protégé par un mot de passe ou par des limites d’utilisation.", pdfFr},
	"pdf_filter":    {"Dans le PDF, il y a une pièce jointe compressée d’une façon que nous ne lisons pas.", "Ouvrez le PDF, enregistrez la pièce jointe et envoyez-la."},
	"pdf_large":     {"Il y a dans le PDF plus que ce que nous lisons.", "Ouvrez le PDF, enregistrez la pièce jointe et envoyez-la."},
	"pdf_none":      {"Aucune attestation n’est jointe au PDF. Ce que montrent ses pages, n’importe qui peut l’écrire, et nous ne le vérifions pas.", pdfFr},
	"pdf_other":     {"Des fichiers sont joints au PDF, mais aucun n’est une attestation.", pdfFr},
	"pdf_twofold":   {"Une pièce jointe du PDF est deux fichiers différents : des programmes différents ouvriraient l’un ou l’autre.", askFr},
	"pdf_receipt": {
		"C’est un reçu de vérifications déjà faites, pas une attestation. N’importe qui peut en écrire un qui lui ressemble.",
		"Ouvrez-le avec un programme qui montre les signatures, ou refaites la vérification avec les fichiers originaux.",
	},
	"unknown": {"C’est illisible.", askFr},
}
