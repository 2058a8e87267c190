package main

// checked is the language in which verify says what it found.
func (c *console) checked() string { return c.speaks("it", "de", "fr") }

// verifyWords are what verify says beside the sentences of the verifier, in one
// language. A comment says what stands for each %s, or for {day} and {time}.
type verifyWords struct {
	asked       string // a day, a time
	awarded     string // the provider
	signsAs     string // the sealer
	leads       string // an address, its site
	trust       string // the address
	text        string // the text
	copied      string // a day, as the next ones
	valid       string
	suspended   string
	revoked     string
	lastSigning string
}

// saidByVerify are the words of every language that verify speaks.
var saidByVerify = map[string]verifyWords{
	"it": {
		asked:       "la risposta riguarda il {day}, {time}",
		awarded:     "rilasciato da %s, sigillato per suo conto: così dichiara chi sigilla",
		signsAs:     "oggi firma le sue liste di stato come %s, con lo stesso identificativo legale",
		leads:       "porta a %s (sito %s); non è stato aperto",
		trust:       "se ti fidi di quel sito: attesta verify %s",
		text:        "nel codice c’è solo un testo: %s",
		copied:      "secondo una copia fatta il {day}: chiavi, autorità ed elenchi sono quelli di quel giorno",
		valid:       "il {day} era valido; che cosa è successo dopo, da qui nessuno può saperlo",
		suspended:   "il {day} era sospeso; se lo sia ancora, da qui nessuno può saperlo",
		revoked:     "il {day} era revocato, e una revoca è definitiva",
		lastSigning: "il {day} l’ente ha firmato i suoi elenchi per l’ultima volta",
	},
	"en": {
		asked:       "the answer is about {day}, {time}",
		awarded:     "awarded by %s, sealed on its behalf: so the sealer declares",
		signsAs:     "today it signs its status lists as %s, with the same legal identifier",
		leads:       "it leads to %s (site %s); it was not opened",
		trust:       "if you trust that site: attesta verify %s",
		text:        "in the code there is a text only: %s",
		copied:      "by a copy made on {day}: keys, anchors and lists are those of that day",
		valid:       "on {day} it was valid; what happened since nobody can say from here",
		suspended:   "on {day} it was suspended; whether it still is nobody can say from here",
		revoked:     "on {day} it was revoked, and a revocation is final",
		lastSigning: "on {day} the provider signed its lists for the last time",
	},
	"de": {
		asked:       "die Antwort gilt für den {day}, {time}",
		awarded:     "ausgestellt von %s, im Auftrag gesiegelt: so erklärt es, wer siegelt",
		signsAs:     "die Statuslisten sind heute unterschrieben als %s, mit derselben rechtlichen Kennung",
		leads:       "es führt zu %s (Website %s); es wurde nicht geöffnet",
		trust:       "wenn Sie dieser Website vertrauen: attesta verify %s",
		text:        "im Code steht nur ein Text: %s",
		copied:      "nach einer Kopie vom {day}: Schlüssel, vertraute Stellen und Listen sind die von jenem Tag",
		valid:       "am {day} war der Nachweis gültig; was danach geschah, kann von hier aus niemand wissen",
		suspended:   "am {day} war der Nachweis ausgesetzt; ob er es noch ist, kann von hier aus niemand wissen",
		revoked:     "am {day} war der Nachweis widerrufen, und ein Widerruf ist endgültig",
		lastSigning: "am {day} hat der Aussteller seine Listen zum letzten Mal unterschrieben",
	},
	"fr": {
		asked:       "la réponse concerne le {day}, {time}",
		awarded:     "délivrée par %s, scellée pour son compte\u00a0: c’est ce que déclare l’organisation qui scelle",
		signsAs:     "les listes d’état sont signées aujourd’hui par %s, avec le même identifiant légal",
		leads:       "cela mène à %s (site %s)\u00a0; cela n’a pas été ouvert",
		trust:       "si vous faites confiance à ce site\u00a0: attesta verify %s",
		text:        "le code ne contient qu’un texte\u00a0: %s",
		copied:      "selon une copie faite le {day}\u00a0: les clés, les autorités et les listes sont celles de ce jour-là",
		valid:       "le {day}, l’attestation était valide\u00a0; personne ne peut savoir d’ici ce qui s’est passé ensuite",
		suspended:   "le {day}, l’attestation était suspendue\u00a0; personne ne peut savoir d’ici si elle l’est encore",
		revoked:     "le {day}, l’attestation était révoquée, et une révocation est définitive",
		lastSigning: "le {day}, l’émetteur a signé ses listes pour la dernière fois",
	},
}

func wordsOfVerify(language string) verifyWords {
	if w, ok := saidByVerify[language]; ok {
		return w
	}
	return saidByVerify["en"]
}
