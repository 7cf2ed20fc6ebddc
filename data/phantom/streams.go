package phantom

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
)

// streams derives every random stream of one patient by name, so that adding a draw to one part of
// the patient never moves another, and so that stiffness and echo cannot share a number.
type streams struct {
	seed          uint64
	index         int
	stiffnessSeed uint64
}

// key is the digest a stream starts from. Only names under "stiffness" see the stiffness seed.
func (s streams) key(name string) [sha256.Size]byte {
	extra := uint64(0)
	if name == "stiffness" || strings.HasPrefix(name, "stiffness/") {
		extra = s.stiffnessSeed
	}
	return sha256.Sum256(fmt.Appendf(nil, "phantom|%d|%d|%d|%s", s.seed, s.index, extra, name))
}

// rand is the stream of that name, from its beginning.
func (s streams) rand(name string) *rand.Rand {
	k := s.key(name)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(k[:8]), binary.LittleEndian.Uint64(k[8:16])))
}

// field is the smooth random field of that name.
func (s streams) field(name string, octaves ...octave) field {
	k := s.key(name)
	return field{key: binary.LittleEndian.Uint64(k[:8]), octaves: octaves}
}
