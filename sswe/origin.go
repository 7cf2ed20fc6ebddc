package sswe

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"elastography/data"
)

// Origin says what a model was trained on. It travels with the weights and is written into every output.
type Origin struct {
	Organ     string   `json:"organ"`
	Scanners  []string `json:"scanners"`
	Simulated bool     `json:"simulated"` // these planes are simulated; AnySimulated asks of earlier ones, too
	Patients  int      `json:"patients"`
	Planes    int      `json:"planes"`
	Seen      []string `json:"seen,omitempty"`  // fingerprints of the elastograms it learned from or was validated on
	Start     *Start   `json:"start,omitempty"` // the model whose weights a fine-tuning began with
}

// Start names the finished model that a fine-tuning began with.
type Start struct {
	Origin Origin `json:"origin"`
	SHA256 string `json:"sha256"` // of its model file
}

// AnySimulated tells whether simulated planes had a part in the weights: if so, their kPa are a simulation's.
func (o Origin) AnySimulated() bool {
	return o.Simulated || o.Start != nil && o.Start.Origin.AnySimulated()
}

// CheckUnseen refuses test planes whose elastogram the model has learned from, in whatever cohort and under whatever name:
// their error would be a memory's. Another plane of the same patient it can't know; the cohort's splits are for that.
func (o Origin) CheckUnseen(test []*data.Sample) error {
	for _, s := range test {
		if slices.Contains(o.Seen, fingerprint(s)) {
			return fmt.Errorf("%w: the model was trained on plane %s; test it on a cohort of other patients, or train without these", data.ErrLeak, s.ID())
		}
	}
	if o.Start != nil {
		return o.Start.Origin.CheckUnseen(test)
	}
	return nil
}

// fingerprint tells elastograms apart: 64 bits of a checksum of the stiffness on the network's grid.
func fingerprint(s *data.Sample) string {
	h := sha256.New()
	_ = binary.Write(h, binary.LittleEndian, s.TargetKPa) // a hash never fails
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// String says what a model was trained on: its training domain in words, in the order of its trainings.
func (o Origin) String() string {
	trained := "real"
	if o.Simulated {
		trained = "simulated"
	}
	planes := fmt.Sprintf("%d %s %s planes (%s)", o.Planes, trained, o.Organ, strings.Join(o.Scanners, ", "))
	if o.Start != nil {
		return o.Start.Origin.String() + ", fine-tuned on " + planes
	}
	return planes
}

// Note is the line that every output of a model carries.
func (o Origin) Note() string {
	return "synthetic, research use only; network trained on " + o.String()
}

// startedFrom is the checksum of the model that a fine-tuning began with, "" for a training from the beginning.
func (o Origin) startedFrom() string {
	if o.Start == nil {
		return ""
	}
	return o.Start.SHA256
}
