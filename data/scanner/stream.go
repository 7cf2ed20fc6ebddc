package scanner

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// stream derives an independent random stream from a seed by name, so that adding
// or reordering one kind of noise never changes another.
func stream(seed uint64, name string) *rand.Rand {
	key := binary.LittleEndian.AppendUint64(nil, seed)
	sum := sha256.Sum256(append(key, name...))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
}
