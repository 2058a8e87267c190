package presentation

// Problem says why nothing in a file can be judged. Code is stable; the words
// for it in the reader's language come from Words. Which file it is, the name of
// the item says.
type Problem struct {
	Code string `json:"code"`
}

// Error names the code.
func (p *Problem) Error() string { return "reading what was presented: " + p.Code }

// Words says the problem in a person's language (it or en; anything else is read
// as en): what was found, and what the reader can do.
func (p *Problem) Words(language string) (found, todo string) {
	said, ok := sentences[p.Code]
	if !ok {
		said = sentences["unknown"]
	}
	n := 0
	if language != "it" {
		n = 2
	}
	return said[n], said[n+1]
}

// Advice that several problems share.
const (
	askIt = "Chiedi al titolare il file originale dell’attestato o il link sotto il QR."
	askEn = "Ask the holder for the original file of the credential or for the link under the QR."
	pdfIt = "Se sulla pagina c’è un QR, fotografalo o fanne una schermata e carica quella. Oppure chiedi al titolare il file originale."
	pdfEn = "If there is a QR on the page, take a photo or a screenshot of it and upload that. Or ask the holder for the original file."
	zipIt = "Apri l’archivio sul tuo computer e carica i file uno per uno o in gruppi."
	zipEn = "Open the archive on your computer and upload the files one by one or in groups."
)

// sentences are the words of each problem: what was found and what to do, in
// Italian and in English.
var sentences = map[string][4]string{
	"empty": {"Non c’è niente da leggere.", askIt, "There is nothing to read.", askEn},
	"large": {"Il file è troppo grande: un attestato digitale non supera i 4 MB.", askIt, "The file is too large: a digital credential has at most 4 MB.", askEn},
	"late":  {"Non c’è stato il tempo di leggerlo: i file erano troppi in una volta.", "Ripeti con meno file.", "There was no time to read it: there were too many files at once.", "Repeat with fewer files."},
	"many":  {"Da qui in poi ci sono altre cose da verificare, che non sono state lette.", "Ripeti con meno file.", "From here on there is more to check, which was not read.", "Repeat with fewer files."},

	"handle_unknown": {"Il codice non corrisponde a nessun attestato rilasciato qui.", "Inquadra di nuovo il QR, o chiedi al titolare il file originale.", "The code belongs to no credential issued here.", "Scan the QR again, or ask the holder for the original file."},
	"handle_erased":  {"L’attestato è stato cancellato insieme ai dati della persona.", "Chi ne ha ancora il file può presentarlo.", "The credential was erased together with the data of the person.", "Whoever still has its file can present that."},

	"office": {"È un documento da ufficio (Word, Excel o simili), che non porta attestati con sigillo.", askIt, "It is an office document (Word, Excel or the like), which carries no sealed credential.", askEn},

	"zip_damaged":   {"L’archivio ZIP è danneggiato.", "Crealo di nuovo, o carica i file senza archivio.", "The ZIP archive is damaged.", "Make it again, or upload the files without an archive."},
	"zip_empty":     {"L’archivio ZIP è vuoto.", askIt, "The ZIP archive is empty.", askEn},
	"zip_encrypted": {"Il file nell’archivio ZIP è protetto da una password.", zipIt, "The file in the ZIP archive is protected by a password.", zipEn},
	"zip_entries":   {"L’archivio ZIP ha più di 1000 file.", "Dividilo in archivi più piccoli.", "The ZIP archive has more than 1000 files.", "Divide it into smaller archives."},
	"zip_large":     {"L’archivio ZIP contiene più di quanto leggiamo in una volta.", "Dividilo in archivi più piccoli, fino a 50 MB di contenuto.", "The ZIP archive holds more than we read at once.", "Divide it into smaller archives, of at most 50 MB when unpacked."},
	"zip_method":    {"Il file nell’archivio ZIP è compresso in un modo che non leggiamo.", zipIt, "The file in the ZIP archive is packed in a way that we do not read.", zipEn},
	"zip_nested":    {"È un archivio dentro un archivio, e non lo apriamo.", zipIt, "It is an archive in an archive, and we do not open it.", zipEn},

	"picture_damaged": {"L’immagine è danneggiata e non si può leggere.", "Rifai la foto o la schermata.", "The picture is damaged and cannot be read.", "Take the photo or the screenshot again."},
	"picture_kind":    {"L’immagine è di un tipo che non leggiamo.", "Salvala come JPEG o PNG, oppure fanne una schermata.", "The picture is of a kind that we do not read.", "Save it as JPEG or PNG, or take a screenshot of it."},
	"picture_large":   {"L’immagine è troppo grande: leggiamo fino a 8 MB e 40 milioni di punti.", "Ritaglia il QR o fanne una schermata.", "The picture is too large: we read up to 8 MB and 40 million pixels.", "Cut out the QR or take a screenshot of it."},
	"png_animated":    {"L’immagine si muove: il QR che vedi può non essere quello che leggeremmo.", "Fanne una schermata e carica quella.", "The picture moves: the QR that you see may not be the one that we would read.", "Take a screenshot of it and upload that."},
	"png_damaged":     {"L’immagine PNG è danneggiata o è stata modificata.", askIt, "The PNG picture is damaged or was changed.", askEn},
	"png_trailing":    {"Nell’immagine PNG c’è qualcosa dopo la fine.", askIt, "There is something after the end of the PNG picture.", askEn},
	"qr_none":         {"Nell’immagine non abbiamo trovato un QR che si legga.", "Rifai la foto da vicino, dritta e con buona luce, oppure scrivi il codice che sta sotto il QR.", "We found no QR in the picture that can be read.", "Take the photo again from near, straight and in good light, or type the code under the QR."},

	"badge_form":    {"L’immagine dice di contenere un attestato, ma non nella forma prevista.", askIt, "The picture says that it holds a credential, but not in the form that is laid down.", askEn},
	"badge_large":   {"L’attestato nell’immagine è troppo grande.", askIt, "The credential in the picture is too large.", askEn},
	"badge_several": {"Nell’immagine ci sono più attestati: programmi diversi ne mostrerebbero di diversi.", askIt, "There are several credentials in the picture: different programs would show different ones.", askEn},
	"svg_damaged":   {"L’immagine SVG è danneggiata.", askIt, "The SVG picture is damaged.", askEn},
	"svg_doctype":   {"L’immagine SVG dichiara un tipo di documento, e per sicurezza non la leggiamo.", askIt, "The SVG picture declares a document type, and for safety we do not read it.", askEn},
	"svg_none":      {"L’immagine SVG non contiene un attestato.", "Se nell’immagine c’è un QR, fanne una schermata e carica quella.", "The SVG picture holds no credential.", "If there is a QR in the picture, take a screenshot of it and upload that."},

	"pdf_damaged":   {"Il PDF è danneggiato o non segue le regole del formato.", askIt, "The PDF is damaged or does not keep to the rules of the format.", askEn},
	"pdf_encrypted": {"Il PDF è protetto da una password o da limiti d’uso.", pdfIt, "The PDF is protected by a password or by limits on its use.", pdfEn},
	"pdf_filter":    {"Nel PDF c’è un allegato compresso in un modo che non leggiamo.", "Apri il PDF, salva l’allegato e carica quello.", "In the PDF there is an attachment that is packed in a way that we do not read.", "Open the PDF, save the attachment and upload that."},
	"pdf_large":     {"Nel PDF c’è più di quanto leggiamo.", "Apri il PDF, salva l’allegato e carica quello.", "There is more in the PDF than we read.", "Open the PDF, save the attachment and upload that."},
	"pdf_none":      {"Al PDF non è allegato nessun attestato. Quello che si vede sulle pagine chiunque può scriverlo, e non lo verifichiamo.", pdfIt, "No credential is attached to the PDF. What its pages show anybody can write, and we do not check it.", pdfEn},
	"pdf_other":     {"Al PDF sono allegati dei file, ma nessuno è un attestato.", pdfIt, "Files are attached to the PDF, but none of them is a credential.", pdfEn},
	"pdf_twofold":   {"Un allegato del PDF è due file diversi: programmi diversi ne aprirebbero uno o l’altro.", askIt, "An attachment of the PDF is two different files: different programs would open one or the other.", askEn},

	"unknown": {"Non si può leggere.", askIt, "It cannot be read.", askEn},
}
