package data

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream is the random stream of that name under a seed. Two names never share a stream, so that, say, drawing one more
// augmentation changes no weight.
func Stream(seed uint64, name string) *rand.Rand {
	key := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(name+"\x00"), seed))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:16])))
}
