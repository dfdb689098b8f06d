# Loaded before a PSGI application: what it prints leaves at once, so that streams of events are streams.
package UsherdFlush;
$| = 1;
1;
