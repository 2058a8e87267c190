package presentation

// Problem says why nothing in a file can be judged. Code is stable; the words
// for it in the reader's language come from Words. Which file it is, the name of
// the item says.
type Problem struct {
	Code string `json:"code"`
}

// Error names the code.
func (p *Problem) Error() string { return "reading what was presented: " + p.Code }

// sentences are the words of each problem in every language: what was found and
// what to do.
var sentences = map[string]map[string][2]string{"it": italian, "en": english, "de": german, "fr": french}

// Words says the problem in a person's language (it, en, de or fr; anything else
// is read as en): what was found, and what the reader can do.
func (p *Problem) Words(language string) (found, todo string) {
	all, ok := sentences[language]
	if !ok {
		all = english
	}
	said, ok := all[p.Code]
	if !ok {
		said = all["unknown"]
	}
	return said[0], said[1]
}
