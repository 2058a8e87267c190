package dss

import "time"

// SigTEnds is from when on a seal claims its time in iat and no longer in sigT
// (ETSI TS 119 182-1 V1.2.1 clause 5.2.1).
func SigTEnds() time.Time { return time.Date(2025, 7, 15, 0, 0, 0, 0, time.UTC) }
