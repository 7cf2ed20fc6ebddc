package sswe

import (
	"crypto/sha256"
	"fmt"
	"os"
)

// origin is what the model will have been trained on: Origin and, before it, what the model at Start was.
func (t *Trainer) origin() (Origin, error) {
	o := t.Origin
	if t.Start == "" {
		return o, nil
	}
	file, err := modelPath(t.Start)
	if err != nil {
		return Origin{}, fmt.Errorf("fine-tune: %w", err)
	}
	c, err := readCheckpoint(file)
	if err != nil {
		return Origin{}, fmt.Errorf("fine-tune: %w", err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return Origin{}, fmt.Errorf("fine-tune: %w", err)
	}
	o.Start = &Start{Origin: c.meta.Origin, SHA256: fmt.Sprintf("%x", sha256.Sum256(b))}
	return o, nil
}

// startingModel is the finished model at Start, to be trained on under the trainer's own configuration. Its batch-norm
// statistics come along; Adam's moments do not: they belong to the training that is over.
func (t *Trainer) startingModel() (*Model, error) {
	m, err := Load(t.Backend, t.Start)
	if err != nil {
		return nil, fmt.Errorf("fine-tune: %w", err)
	}
	if difference := otherNetwork(m.Config, t.Config); difference != "" {
		return nil, fmt.Errorf("fine-tune from %s: %w: %s; train with the checkpoint's preset (%s), or from the beginning",
			t.Start, ErrOtherNetwork, difference, m.Config.Preset)
	}
	m.Config, m.Domain = t.Config, Domain{}
	return m, nil
}
