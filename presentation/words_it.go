package presentation

// Advice that several problems share.
const (
	askIt = "Chiedi al titolare il file originale dell’attestato o il link sotto il QR."
	pdfIt = "Se sulla pagina c’è un QR, fotografalo o fanne una schermata e carica quella. Oppure chiedi al titolare il file originale."
	zipIt = "Apri l’archivio sul tuo computer e carica i file uno per uno o in gruppi."
)

// italian says every problem: what was found and what to do.
var italian = map[string][2]string{
	"empty":           {"Non c’è niente da leggere.", askIt},
	"large":           {"Il file è troppo grande: un attestato digitale non supera i 4 MB.", askIt},
	"late":            {"Non c’è stato il tempo di leggerlo: i file erano troppi in una volta.", "Ripeti con meno file."},
	"many":            {"Da qui in poi ci sono altre cose da verificare, che non sono state lette.", "Ripeti con meno file."},
	"handle_unknown":  {"Il codice non corrisponde a nessun attestato rilasciato qui.", "Inquadra di nuovo il QR, o chiedi al titolare il file originale."},
	"handle_erased":   {"L’attestato è stato cancellato insieme ai dati della persona.", "Chi ne ha ancora il file può presentarlo."},
	"office":          {"È un documento da ufficio (Word, Excel o simili), che non porta attestati con sigillo.", askIt},
	"zip_damaged":     {"L’archivio ZIP è danneggiato.", "Crealo di nuovo, o carica i file senza archivio."},
	"zip_empty":       {"L’archivio ZIP è vuoto.", askIt},
	"zip_encrypted":   {"Il file nell’archivio ZIP è protetto da una password.", zipIt},
	"zip_entries":     {"L’archivio ZIP ha più di 1000 file.", "Dividilo in archivi più piccoli."},
	"zip_large":       {"L’archivio ZIP contiene più di quanto leggiamo in una volta.", "Dividilo in archivi più piccoli, fino a 50 MB di contenuto."},
	"zip_method":      {"Il file nell’archivio ZIP è compresso in un modo che non leggiamo.", zipIt},
	"zip_nested":      {"È un archivio dentro un archivio, e non lo apriamo.", zipIt},
	"picture_damaged": {"L’immagine è danneggiata e non si può leggere.", "Rifai la foto o la schermata."},
	"picture_kind":    {"L’immagine è di un tipo che non leggiamo.", "Salvala come JPEG o PNG, oppure fanne una schermata."},
	"picture_large":   {"L’immagine è troppo grande: leggiamo fino a 8 MB e 40 milioni di punti.", "Ritaglia il QR o fanne una schermata."},
	"png_animated":    {"L’immagine si muove: il QR che vedi può non essere quello che leggeremmo.", "Fanne una schermata e carica quella."},
	"png_damaged":     {"L’immagine PNG è danneggiata o è stata modificata.", askIt},
	"png_trailing":    {"Nell’immagine PNG c’è qualcosa dopo la fine.", askIt},
	"qr_none":         {"Nell’immagine non abbiamo trovato un QR che si legga.", "Rifai la foto da vicino, dritta e con buona luce, oppure scrivi il codice che sta sotto il QR."},
	"badge_form":      {"L’immagine dice di contenere un attestato, ma non nella forma prevista.", askIt},
	"badge_large":     {"L’attestato nell’immagine è troppo grande.", askIt},
	"badge_several":   {"Nell’immagine ci sono più attestati: programmi diversi ne mostrerebbero di diversi.", askIt},
	"svg_damaged":     {"L’immagine SVG è danneggiata.", askIt},
	"svg_doctype":     {"L’immagine SVG dichiara un tipo di documento, e per sicurezza non la leggiamo.", askIt},
	"svg_none":        {"L’immagine SVG non contiene un attestato.", "Se nell’immagine c’è un QR, fanne una schermata e carica quella."},
	"pdf_damaged":     {"Il PDF è danneggiato o non segue le regole del formato.", askIt},
	"pdf_encrypted":   {"Il PDF è protetto da una password o da limiti d’uso.", pdfIt},
	"pdf_filter":      {"Nel PDF c’è un allegato compresso in un modo che non leggiamo.", "Apri il PDF, salva l’allegato e carica quello."},
	"pdf_large":       {"Nel PDF c’è più di quanto leggiamo.", "Apri il PDF, salva l’allegato e carica quello."},
	"pdf_none":        {"Al PDF non è allegato nessun attestato. Quello che si vede sulle pagine chiunque può scriverlo, e non lo verifichiamo.", pdfIt},
	"pdf_other":       {"Al PDF sono allegati dei file, ma nessuno è un attestato.", pdfIt},
	"pdf_receipt":     {"È una ricevuta di verifiche già fatte, non un attestato. Chiunque può scriverne una che le somiglia.", "Aprila con un programma che mostra le firme, o ripeti la verifica con i file originali."},
	"pdf_twofold":     {"Un allegato del PDF è due file diversi: programmi diversi ne aprirebbero uno o l’altro.", askIt},
	"unknown":         {"Non si può leggere.", askIt},
}
