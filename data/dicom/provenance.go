package dicom

import (
	"fmt"
	"time"
)

// Provenance is what every written object says about its making.
type Provenance struct {
	Source         Identity  // the B-mode picture
	Frame          int       // of the source, 0-based
	Model          string    // id of the network, such as its checkpoint's hash
	TrainingDomain string    // what it was trained on, such as "simulated prostate, 40 patients"
	Version        string    // of this software
	Warning        string    // shown with the picture, such as an out-of-domain score; "" for none
	Made           time.Time // when
}

// researchUse is burned into every picture and stands in the tags.
const researchUse = "synthetic, research use"

// derivation says in one sentence what the object is and where it comes from.
func (p Provenance) derivation() string {
	s := fmt.Sprintf("%s: Young's modulus in kPa predicted from B-mode by model %s, trained on %s; not measured by a scanner, not for diagnosis", researchUse, p.Model, p.TrainingDomain)
	if p.Warning != "" {
		s += "; WARNING: " + p.Warning
	}
	return clip(s, 1024) // value representation ST
}

// check refuses provenance that would leave a picture without its origin.
func (p Provenance) check() error {
	for _, f := range []struct{ name, value string }{
		{"Source.Patient", p.Source.Patient}, {"Source.StudyUID", p.Source.StudyUID},
		{"Model", p.Model}, {"TrainingDomain", p.TrainingDomain}, {"Version", p.Version},
	} {
		if f.value == "" {
			return fmt.Errorf("the provenance lacks %s, without which a synthetic picture must not be written", f.name)
		}
	}
	if p.Made.IsZero() || p.Frame < 0 {
		return fmt.Errorf("the provenance lacks the time it was made, or has a negative frame")
	}
	return nil
}

// clip makes text of ASCII characters that fits a value representation's
// length and holds no separator of values.
func clip(s string, most int) string {
	b := []byte(printable(s))
	for i, c := range b {
		if c == '\\' {
			b[i] = '/'
		}
	}
	if len(b) > most {
		b = b[:most]
	}
	return trim(string(b))
}
