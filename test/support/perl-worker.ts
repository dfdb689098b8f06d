// A hostile program in Perl, which every Debian has: speaks just enough FastCGI on descriptor 0 to tell what it tried.

const SERVE = `
sub record { my ($type, $text) = @_; pack('CCnnCC', 1, $type, 1, length $text, 0, 0) . $text }
while (accept my $client, STDIN) {
  my $request = '';
  while (sysread $client, my $piece, 65536) { $request .= $piece; last if $request =~ /\\x01\\x05\\x00\\x01\\x00\\x00..\\z/s }
  my $text = "Content-Type: text/plain\\r\\n\\r\\n" . attempt($request);
  syswrite $client, record(6, substr $text, 0, 60000) . record(6, '') . record(3, "\\0" x 8);
  close $client;
}`;

/**
 * @param attempt body of a Perl sub that gets the request's bytes and returns what it found out
 * @param first what runs once, before the first request
 */
export const perlWorker = (attempt: string, first = ''): string => `#!/usr/bin/perl
use Socket; use POSIX ();
${first}
sub attempt {
  my ($request) = @_;
${attempt}
}
${SERVE}
`;
