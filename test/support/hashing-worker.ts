// A FastCGI program in Perl for large bodies: tells the SHA-256 of what it is sent, or sends as much as it is asked for.

/** `?mib=N`: N blocks, the same as those of test/soak/transfer.ts. Neither body nor answer is ever held whole. */
export const HASHING_WORKER = `#!/usr/bin/perl
use Digest::SHA;
sub bytes {
  my ($from, $count) = @_; my $bytes = '';
  while (length $bytes < $count) { sysread $from, $bytes, $count - length $bytes, length $bytes or return }
  return $bytes;
}
sub out { my ($to, $text) = @_; my $at = 0; while ($at < length $text) { $at += syswrite($to, $text, length($text) - $at, $at) || return } }
sub record { my ($type, $text) = @_; pack('CCnnCC', 1, $type, 1, length $text, 0, 0) . $text }
my $block = pack 'V*', map { ($_ * 4 * 2654435761) & 0xffffffff } 0 .. 262143;
while (accept my $client, STDIN) {
  my ($params, $hash) = ('', Digest::SHA->new(256));
  while (defined(my $head = bytes($client, 8))) {
    my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $head;
    my $content = $length ? bytes($client, $length) : '';
    bytes($client, $padding) if $padding;
    $params .= $content if $type == 4;
    $hash->add($content) if $type == 5;
    last if $type == 5 and $length == 0;
  }
  out($client, record(6, "Content-Type: application/octet-stream\\r\\n\\r\\n"));
  if ($params =~ /mib=(\\d+)/) {
    for my $n (0 .. $1 - 1) {
      my $own = pack('V', $n) . substr $block, 4;
      for (my $at = 0; $at < length $own; $at += 65535) { out($client, record(6, substr $own, $at, 65535)) }
    }
  } else {
    out($client, record(6, $hash->hexdigest));
  }
  out($client, record(6, '') . record(3, "\\0" x 8));
  close $client;
}
`;
