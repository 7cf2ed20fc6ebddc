package sswe

import (
	"errors"
	"fmt"
)

// ErrOtherOrgan marks planes of an organ that the model was not trained on.
var ErrOtherOrgan = errors.New("another organ")

// ErrOtherNetwork marks a checkpoint whose network is not the configuration's.
var ErrOtherNetwork = errors.New("another network")

// CheckModel refuses a model that another configuration made: its numbers would be reported under a wrong name.
func CheckModel(m *Model, c Config) error {
	if difference := otherNetwork(m.Config, c); difference != "" {
		return fmt.Errorf("%w: %s; put back the run's own checkpoint, or train again", ErrOtherNetwork, difference)
	}
	return nil
}

// otherNetwork says how the network of a checkpoint differs from the one that is asked for, "" where weights, pixels and
// kPa mean the same.
func otherNetwork(checkpoint, asked Config) string {
	switch o, c := checkpoint, asked; {
	case o.Network != c.Network:
		return fmt.Sprintf("the checkpoint holds %+v, the configuration asks for %+v", o.Network, c.Network)
	case o.Grid != c.Grid || o.RangeKPa != c.RangeKPa:
		return fmt.Sprintf("the checkpoint reads %d x %d pixels of %g mm with a range of %g kPa, the configuration asks for %d x %d of %g mm and %g kPa",
			o.Grid.Height, o.Grid.Width, o.Grid.MMPerPx, o.RangeKPa, c.Grid.Height, c.Grid.Width, c.Grid.MMPerPx, c.RangeKPa)
	}
	return ""
}

// CheckOrgan refuses planes of another organ than the model's; P2 retrains for each.
func CheckOrgan(o Origin, organ string) error {
	if o.Organ != "" && organ != o.Organ {
		return fmt.Errorf("%w: the cohort shows %s, the model was trained on %s; train on a cohort of %s", ErrOtherOrgan, organ, o.Organ, organ)
	}
	return nil
}
