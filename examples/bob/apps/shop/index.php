<?php
// An ordinary PHP page: no configuration names it. usherd starts php-cgi as the owner of the directory.
$facts = [
    'uid' => function_exists('posix_geteuid') ? posix_geteuid() : getmyuid(),
    'pid' => getmypid(),
    'script' => $_SERVER['SCRIPT_NAME'] ?? '',
    'path' => $_SERVER['PATH_INFO'] ?? '',
];

if (($_SERVER['QUERY_STRING'] ?? '') === 'plain') {
    header('Content-Type: text/plain; charset=utf-8');
    foreach ($facts as $name => $value) {
        echo "$name=$value\n";
    }
    exit;
}
?>
<!doctype html>
<title>shop</title>
<h1>Hello from PHP <?= PHP_VERSION ?></h1>
<table>
<?php foreach ($facts as $name => $value): ?>
<tr><th><?= $name ?><td><?= htmlspecialchars((string) $value) ?>

<?php endforeach ?>
</table>
