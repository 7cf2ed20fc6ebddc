// Package loopback starts processes whose ports nobody else can reach.
//
// Beam's Prism and its job server listen on every interface without asking who
// calls. On Linux a process gets a network of its own instead, in which there
// is nothing but the loopback interface; no privilege is needed where user
// namespaces are allowed.
package loopback
