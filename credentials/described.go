package credentials

// described finds the nodes of a tree by their ids.
type described struct {
	at map[string]uint32 // the position from 1 among full
	// relative tells of an id that it is no absolute IRI.
	relative []bool
	// full are the fullest descriptions; nil where an id only stands alone.
	full []*value
}

// indexed finds everything in a document by its id, and notes for every object
// where among the ids it stands.
func indexed(doc node) *described {
	d := &described{}
	if doc.v != nil {
		likely := len(doc.t.values) / 5
		d.at, d.full, d.relative = make(map[string]uint32, likely), make([]*value, 0, likely), make([]bool, 0, likely)
		d.index(doc.t, doc.v)
	}
	return d
}

// index remembers the fullest description of every node by its id.
func (d *described) index(t *tree, v *value) {
	if v.kind == isObject {
		d.enter(t, v)
	}
	below := t.below(v)
	for i := range below {
		if k := below[i].kind; k == isObject || k == isList {
			d.index(t, &below[i])
		}
	}
}

func (d *described) enter(t *tree, v *value) {
	named := t.member(v, symID)
	if named == nil {
		return
	}
	id, ok := t.str(named)
	if !ok {
		return
	}
	v.id = d.at[id]
	if v.id == 0 {
		d.full, d.relative = append(d.full, nil), append(d.relative, !absolute(id))
		v.id = uint32(len(d.full)) // at most maxValues
		d.at[id] = v.id
	}
	if full := &d.full[v.id-1]; v.size() > 1 && (*full == nil || v.size() > (*full).size()) {
		*full = v
	}
}

// of is the fullest description of what an object or a string names, or nil.
func (d *described) of(n node) *value {
	switch {
	case n.v == nil:
		return nil
	case n.v.kind == isObject:
		if n.v.id == 0 {
			return nil
		}
		return d.full[n.v.id-1]
	}
	id, ok := n.str()
	if !ok {
		return nil
	}
	if at := d.at[id]; at > 0 {
		return d.full[at-1]
	}
	return nil
}
