package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sync/errgroup"
)

// Samples reads a split's planes like Load and brings them to a network's grid, holding no more planes in memory than there
// are processors. The samples lie in a file that has no name and goes with the process; the memory they seem to take is the
// system's cache of that file, given up when it runs short: a cohort need not fit. Changing a sample changes memory alone.
func (c *Cohort) Samples(ctx context.Context, split Split, g Grid, skipDamaged bool) (samples []*Sample, skipped []error, err error) {
	var rows []Row
	for _, r := range c.Rows {
		if r.Split == split {
			rows = append(rows, r)
		}
	}
	file, err := unnamedFile(c.Dir)
	if err != nil {
		return nil, nil, fmt.Errorf("load cohort %s: %w; make room for %d bytes there", c.Dir, err, len(rows)*sampleBytes(g))
	}
	defer file.Close() // the mapping keeps it

	heads, damage := make([]Sample, len(rows)), make([]error, len(rows))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, r := range rows {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			p, err := c.Plane(r)
			if skipDamaged && (errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist)) {
				damage[i] = err
				return nil
			}
			if err != nil {
				return fmt.Errorf("load cohort: %w; restore the file, simulate the cohort again, or pass --skip-damaged", err)
			}
			heads[i] = *p.Resample(g)
			if err := heads[i].write(file, i); err != nil {
				return fmt.Errorf("load cohort: keep %s for training: %w", r.ID(), err)
			}
			heads[i] = heads[i].head()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	var memory []byte
	for i := range rows {
		if damage[i] != nil {
			skipped = append(skipped, damage[i])
			continue
		}
		if memory == nil {
			if memory, err = mapped(file, len(rows)*sampleBytes(g)); err != nil {
				return nil, nil, fmt.Errorf("load cohort %s: %w", c.Dir, err)
			}
		}
		heads[i].lieIn(memory[i*sampleBytes(g) : (i+1)*sampleBytes(g)])
		samples = append(samples, &heads[i])
	}
	if len(samples) == 0 {
		return nil, skipped, fmt.Errorf("load cohort %s: no readable plane in split %q", c.Dir, split)
	}
	return samples, skipped, nil
}

// unnamedFile makes a file in the folder or, if that can only be read, where temporary files go, and removes its name.
func unnamedFile(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, ".samples-*")
	if err != nil {
		if file, err = os.CreateTemp("", "sswe-samples-*"); err != nil {
			return nil, err
		}
	}
	return file, removeOpen(file)
}

// sampleBytes is a sample's size: image and target of four bytes a pixel, mask, saturated and two label maps of one.
func sampleBytes(g Grid) int { return 12 * g.Pixels() }

// parts lists the sample's maps as bytes, in the file's order.
func (s *Sample) parts() [][]byte {
	return [][]byte{asBytes(s.Image), asBytes(s.TargetKPa), asBytes(s.Mask), asBytes(s.Saturated), s.Labels, s.LabelsTrue}
}

// write stores the maps as the file's i-th sample; a map that is missing leaves a hole.
func (s *Sample) write(file *os.File, i int) error {
	n := s.Grid.Pixels()
	at := int64(i) * int64(sampleBytes(s.Grid))
	for k, part := range s.parts() {
		if _, err := file.WriteAt(part, at); err != nil {
			return err
		}
		at += int64([]int{4, 4, 1, 1, 1, 1}[k] * n)
	}
	return nil
}

// head is the sample without its maps, but for what tells whether it has label maps.
func (s *Sample) head() Sample {
	h := *s
	h.Image, h.TargetKPa, h.Mask, h.Saturated = nil, nil, nil, nil
	if h.Labels != nil {
		h.Labels = []uint8{}
	}
	if h.LabelsTrue != nil {
		h.LabelsTrue = []uint8{}
	}
	return h
}

// lieIn makes the maps parts of memory.
func (s *Sample) lieIn(memory []byte) {
	n := s.Grid.Pixels()
	s.Image, s.TargetKPa = as[float32](memory[:4*n]), as[float32](memory[4*n:8*n])
	s.Mask, s.Saturated = as[bool](memory[8*n:9*n]), as[bool](memory[9*n:10*n])
	if s.Labels != nil {
		s.Labels = memory[10*n : 11*n : 11*n]
	}
	if s.LabelsTrue != nil {
		s.LabelsTrue = memory[11*n : 12*n : 12*n]
	}
}

// asBytes is a map's memory; no other process reads it, so the machine's byte order is right.
func asBytes[T float32 | bool](v []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(one)))
}

// as is the reverse of asBytes. The bytes are ones that asBytes gave: a bool is 0 or 1.
func as[T float32 | bool](b []byte) []T {
	var one T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(one)))
}
