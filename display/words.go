package display

import "attesta/credentials"

// words are the fixed words of a picture in one language.
type words struct {
	kicker, outcomes, disclaimer         string
	workload, hour, hours, point         string
	level, declared, modeLabel, language string
	modes, languages                     map[string]string
}

// mode returns the name of a way of taking part: ours where the value is on
// the model's list, else the label it came with.
func (w words) mode(v credentials.Listed) string {
	if name, ok := w.modes[v.URI]; ok {
		return name
	}
	return v.Label
}

// The list of ways of taking part in a course or an assessment.
const modeList = "http://data.europa.eu/snb/learning-assessment/"

// italian is read only.
var italian = words{
	kicker:     "Microcredenziale",
	outcomes:   "Risultati di apprendimento",
	disclaimer: "Questa immagine non è una prova: verificare il file sigillato o il QR.",
	workload:   "Impegno orario", hour: "ora", hours: "ore", point: ",",
	level: "Livello EQF", declared: "dichiarato dall’ente",
	modeLabel: "Partecipazione", language: "Lingua",
	modes: map[string]string{
		modeList + "920fbb3cbe": "Online",
		modeList + "9191af2ed9": "In presenza",
		modeList + "e92d221e4d": "Mista (in presenza e online)",
		modeList + "729f3bed4b": "Sul luogo di lavoro",
		modeList + "7813801c77": "Per progetti",
		modeList + "ed4c557045": "In laboratorio di ricerca",
	},
	languages: map[string]string{
		"it": "italiano", "en": "inglese", "de": "tedesco", "fr": "francese", "es": "spagnolo",
		"sl": "sloveno", "pt": "portoghese", "ro": "rumeno", "uk": "ucraino", "ar": "arabo", "zh": "cinese",
	},
}

// english is read only.
var english = words{
	kicker:     "Micro-credential",
	outcomes:   "Learning outcomes",
	disclaimer: "This picture is not a proof: check the sealed file or the QR code.",
	workload:   "Workload", hour: "hour", hours: "hours", point: ".",
	level: "EQF level", declared: "declared by the provider",
	modeLabel: "Participation", language: "Language",
	modes: map[string]string{
		modeList + "920fbb3cbe": "Online",
		modeList + "9191af2ed9": "In person",
		modeList + "e92d221e4d": "Blended (in person and online)",
		modeList + "729f3bed4b": "Work-based",
		modeList + "7813801c77": "Project-based",
		modeList + "ed4c557045": "Research laboratory",
	},
	languages: map[string]string{
		"it": "Italian", "en": "English", "de": "German", "fr": "French", "es": "Spanish",
		"sl": "Slovenian", "pt": "Portuguese", "ro": "Romanian", "uk": "Ukrainian", "ar": "Arabic", "zh": "Chinese",
	},
}
