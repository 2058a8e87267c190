package issuer

import (
	"bytes"
	"encoding/json"
	"fmt"

	"attesta/credentials"
	"attesta/keys"
	"attesta/registry"
)

// plan is everything that the document of one award is made from, as the
// registry keeps it until the record is sealed.
type plan struct {
	Provider json.RawMessage `json:"provider"`
	Module   json.RawMessage `json:"module"`
	rest
}

// rest is what an award adds to its model.
type rest struct {
	Learner     credentials.Learner `json:"learner"`
	Edition     string              `json:"edition"`
	CompletedOn credentials.Date    `json:"completed_on"`
	Score       string              `json:"score,omitempty"`
	Key         string              `json:"key"`   // id of the sealing key intended
	House       string              `json:"house"` // its legal identifier

	Stacks map[string]credentials.Text `json:"stacks,omitempty"`
	Parts  []credentials.Part          `json:"parts,omitempty"`
}

func (r rest) award(m *model) credentials.Award {
	return credentials.Award{
		Provider: m.provider, Module: m.module, Learner: r.Learner,
		Edition: r.Edition, CompletedOn: r.CompletedOn, Score: r.Score, Stacks: r.Stacks, Parts: r.Parts,
	}
}

// planBegins writes the part of a plan that comes from the model.
func (m *model) planBegins() ([]byte, error) {
	b, err := json.Marshal(plan{Provider: m.providerText, Module: m.moduleText})
	if err != nil {
		return nil, fmt.Errorf("writing the intent: %w", err)
	}
	none, err := json.Marshal(rest{})
	if err != nil {
		return nil, fmt.Errorf("writing the intent: %w", err)
	}
	return bytes.TrimSuffix(b, none[1:]), nil
}

// intentOf is what is to be sealed with a key. The model is long and the same for
// many, so its part of the plan is not written anew.
func intentOf(j judged, key *keys.Key) (registry.Intent, error) {
	begins, err := j.model.planned()
	if err != nil {
		return registry.Intent{}, err
	}
	ends, err := json.Marshal(rest{
		Learner: j.award.Learner, Edition: j.award.Edition, CompletedOn: j.award.CompletedOn, Score: j.award.Score, Key: key.ID, House: key.LegalID(),
		Stacks: j.award.Stacks, Parts: j.award.Parts,
	})
	if err != nil {
		return registry.Intent{}, fmt.Errorf("writing the intent: %w", err)
	}
	return registry.Intent{
		Provider: j.award.Provider.ID, House: houseOf(key), Learner: j.award.Learner.Ref,
		Module: j.award.Module.Code, Version: j.award.Module.Version, Edition: j.award.Edition,
		Facts:  registry.Facts{CompletedOn: string(j.row.CompletedOn), Attendance: j.row.Attendance, Score: j.row.Score},
		Begins: begins, Body: ends[1:], Shared: begins,
	}, nil
}
